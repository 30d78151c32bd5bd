"""The platform on your own desk."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Mapping, Sequence, cast

from cavatica._arguments import Option, Time, duration, options
from cavatica._connection import ENDPOINT, TOKEN, Connection
from cavatica._documents import document
from cavatica._error import CavaticaError
from cavatica._find import find_program

#: The variables that name whom to trust: for programs with OpenSSL or this one, and for Python's ``requests``.
TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

#: How long a sandbox may take to finish what it is at, in seconds.
STOP_S = 30


class Sandbox:
    """The documented platform on this machine, which really moves bytes: to try things, and to test programs against.

    Use it in a ``with`` statement, or call `start` and `stop`; it ends with this process at the latest. Hand it on as
    `api=`, or hand its `endpoint` and `token` to any other client, the official ones included.

    Args:
        project_from: fill the project with copies of the files in this folder.
        data: where to keep the world, which is the same after a restart; without it a folder that goes with it.
        scenario: a world, its pace and its faults: a mapping, or the path of a JSON file. ``docs/sandbox.md`` has more.
        tls: serve https, with the certificate authority in `ca_cert`.
        port: the port to listen on; 0 takes a free one.
        seed: the same seed makes the same world.
        rate_limit: how many requests are allowed in how many seconds.
        job_duration: how long jobs take, in seconds: the shortest and the longest.
        fail_share: which share of the jobs fails, from 0 to 1.
        faults: what goes wrong, for instance ``drop-after@bulk-start,nth=2; throttle,every=50``.
        quirks: what to do the other way, where no page tells which way is the platform's.
        further: any other option of ``cavatica sandbox``.

    Attributes:
        endpoint: its address.
        token: a made-up token.
        accounts: the token of each account by its name: ``sandbox``, and those that ``account=`` named.
        project: its project.
        volumes: its volumes.
        credentials: a file with its endpoint and token, in the shape of ``~/.sevenbridges/credentials``.
        ca_cert: what clients have to trust, with `tls`.
        data: where its world is kept.

    """

    endpoint: str
    token: str
    accounts: Mapping[str, str]
    project: str
    volumes: tuple[str, ...]
    credentials: Path
    ca_cert: Path | None
    data: Path

    def __init__(
        self,
        *,
        project_from: str | os.PathLike[str] | None = None,
        data: str | os.PathLike[str] | None = None,
        scenario: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        tls: bool = False,
        port: int = 0,
        seed: int | None = None,
        rate_limit: tuple[int, int] | None = None,
        job_duration: tuple[Time, Time] | None = None,
        fail_share: float | None = None,
        faults: str | None = None,
        quirks: Sequence[str] = (),
        **further: Option,
    ) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._data = data
        self._scenario = scenario
        self._arguments: list[str] = options(
            {
                "project_from": project_from,
                "tls": tls,
                "port": port,
                "seed": seed,
                "rate_limit": None if rate_limit is None else f"{rate_limit[0]}/{rate_limit[1]}",
                "job_duration": None if job_duration is None else "-".join(duration(each) for each in job_duration),
                "fail_share": fail_share,
                "faults": faults,
                "quirk": quirks,
                **further,
            }
        )

    @property
    def url(self) -> str:
        """The endpoint, by the name that the official client has for it."""
        return self.endpoint

    def start(self) -> Sandbox:
        """Start it; it answers when this returns.

        Raises:
            CavaticaError: it could not be started.

        """
        if self._process is not None:
            return self
        self._folder = tempfile.TemporaryDirectory(prefix="cavatica-sandbox-")
        arguments = options({"data": self._data or Path(self._folder.name) / "data", "scenario": self._scenario_file()})
        self._process = subprocess.Popen(  # noqa: S603
            [find_program(), "sandbox", "--json", "--stop-at-eof", *self._arguments, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=Connection().environment(),
            encoding="utf-8",
            start_new_session=True,
        )
        line = cast("IO[str]", self._process.stdout).readline()
        try:
            ready = document(line)
            if "error" in ready:
                raise CavaticaError.read(ready["error"])
        except CavaticaError:
            self.stop()
            raise
        self.endpoint, self.token, self.project = ready["endpoint"], ready["token"], ready["project"]
        self.accounts = {account["username"]: account["token"] for account in ready["accounts"]}
        self.volumes = tuple(ready["volumes"])
        self.credentials, self.data = Path(ready["credentials"]), Path(ready["data"])
        self.ca_cert = Path(ready["ca_cert"]) if ready.get("ca_cert") else None
        return self

    def stop(self) -> None:
        """Stop it in order: jobs under way are finished, or taken up again with the same `data`."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                cast("IO[str]", pipe).close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def ledger(self) -> dict[str, Any]:
        """Return what it accepted and did, whatever its clients believe; ``docs/sandbox.md`` lists the keys.

        Raises:
            OSError: it doesn't answer.

        """
        address = self.endpoint[: -len("/v2")] + "/_sandbox/ledger"
        trusted = ssl.create_default_context(cafile=str(self.ca_cert)) if self.ca_cert else None
        request = urllib.request.Request(address, headers={"X-SBG-Auth-Token": self.token})  # noqa: S310
        with urllib.request.urlopen(request, context=trusted) as answer:  # noqa: S310
            return dict(json.load(answer))

    def environment(self) -> dict[str, str]:
        """Return the variables with which this program and the official clients find it, and trust it with `tls`.

        The official Python client takes plain http from these variables only; made with an address of its own it asks
        for `tls`.
        """
        found = {ENDPOINT: self.endpoint, TOKEN: self.token}
        if self.ca_cert is not None:
            found.update(dict.fromkeys(TRUST, str(self.ca_cert)))
        return found

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Sandbox {self.endpoint if self._process else 'stopped'}>"

    def _scenario_file(self) -> str | os.PathLike[str] | None:
        if not isinstance(self._scenario, Mapping):
            return self._scenario
        file = Path(cast("tempfile.TemporaryDirectory[str]", self._folder).name) / "scenario.json"
        file.write_text(json.dumps(self._scenario), encoding="utf-8")
        return file
