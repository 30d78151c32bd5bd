"""A transfer: planned once, run until nothing is left."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterator,
    Mapping,
    Sequence,
    overload,
)

from cavatica import _frames, _process
from cavatica._arguments import Option, Time, duration, manifest, options
from cavatica._connection import Connection
from cavatica._documents import Audit, Plan, Split, Summary, Take, Verification
from cavatica._error import REFUSED, CavaticaError
from cavatica._process import Event
from cavatica._progress import Progress
from cavatica._text import size, visible

if TYPE_CHECKING:
    from typing import Literal

    import pandas
    import polars

    Mode = Literal["move", "copy"]
    Format = Literal["tsv", "csv", "jsonl", "html", "drs", "tags"]

FORMATS = ("tsv", "csv", "jsonl", "html", "drs", "tags")

#: How long another process may take to let go of a transfer, in seconds. One that was left by a parent that died stops
#: by itself; one that works is not waited for.
HELD_S = 30.0


def plan(
    out: str | os.PathLike[str],
    *,
    project: str | None = None,
    folder: str | None = None,
    names: Sequence[str] = (),
    tasks: Sequence[str] = (),
    files: Any = None,
    volume: str | None = None,
    bucket: str | None = None,
    mode: Mode,
    prefix: str = "",
    dest: str | None = None,
    existing: Literal["fail", "skip", "overwrite"] = "fail",
    on: Mapping[str, Literal["skip", "fail"]] | None = None,
    where: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    label: str | None = None,
    metadata: Sequence[str] = (),
    limit: int | None = None,
    parts: int | None = None,
    api: Any = None,
    token: str | None = None,
    endpoint: str | None = None,
    profile: str | None = None,
    ca_cert: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **further: Option,
) -> Transfer:
    """Plan a transfer: which files go where, and what stands against it. Nothing is sent.

    Name what to export by one of `project`, `tasks` and `files`, and where to by one of `volume` and `bucket`. Without
    `api` and `token`, the account is found as by the official clients: in ``SB_AUTH_TOKEN`` and ``SB_API_ENDPOINT``,
    else in ``~/.sevenbridges/credentials``.

    Args:
        out: the transfer's file to write; it must not exist. It is the plan, and the journal of the runs to come.
        project: all files of this project, ``owner/name``, at any depth.
        folder: of the project, only what lies in this folder: a path from its root.
        names: of the project, only files whose names fit one of these; ``*`` is any text, ``?`` one character.
        tasks: the outputs of these tasks, with their companions.
        files: a manifest's path, or its rows: a data frame of pandas or polars, or a list of file ids, of mappings, or
            of the official client's files. ``docs/manifests.md`` lists the columns.
        volume: the volume's id, ``owner/name``.
        bucket: instead, the name of the bucket behind the volume.
        mode: ``move`` deletes the platform's copy once the file has arrived, which can't be undone; ``copy`` keeps it.
        prefix: what every location begins with, its final ``/`` included.
        dest: how the rest of a location is made, for instance ``{project}/{path}/{name}``; without it the file's path
            in its project.
        existing: what to do about objects that are there already: ``fail`` refuses the plan, ``skip`` leaves those
            files out, ``overwrite`` lets the platform delete the objects, which can't be undone either.
        on: for a kind of objection, ``skip`` or ``fail``; ``cavatica plan --help`` lists the kinds.
        where: of the project, only files with these values in their metadata.
        tags: of the project, only files with all these tags.
        label: a name for people.
        metadata: fields to keep for the report.
        limit: plan no more files than this.
        parts: split the plan into so many at once, as `Transfer.split` does, into the folder ``OUT.parts``.
        api: a ``sevenbridges.Api``, or a running `Sandbox`; then leave out `token`, `endpoint` and `profile`.
        token: the account's token. It is handed to the program by its environment, and stands nowhere else.
        endpoint: the API's address; without it CAVATICA's, or what ``SB_API_ENDPOINT`` says.
        profile: a profile of ``~/.sevenbridges/credentials``.
        ca_cert: a certificate authority to trust besides the system's, as a PEM file.
        progress: show how far a long plan is.
        further: any other option of ``cavatica plan``: ``flatten=True``, ``storage_class="GLACIER"``.

    Returns:
        The transfer, its `Transfer.plan` at hand. Where nothing is to be done, ``plan.files`` is 0.

    Raises:
        CavaticaError: with ``exit_code`` 2 the plan was refused, with all `reasons`; with 5 it's the token.

    """
    connection = Connection(api, token, endpoint, profile, ca_cert)
    del api, token
    connection.check()
    arguments = [
        "plan",
        *options({"out": out, "project": project, "folder": folder, "name": names, "task": tasks}),
    ]
    stdin = None
    if files is not None:
        name, stdin = manifest(files)
        arguments += options({"manifest": name[0]})
    arguments += options({"volume": volume, "bucket": bucket, _flag(mode): True, "prefix": prefix or None})
    arguments += options({"dest": dest, "existing": existing, "on": on, "where": where, "tag": tags})
    arguments += options({"label": label, "metadata": metadata, "limit": limit, "parts": parts, **further})
    shown = Progress(f"planning {os.fspath(out)}") if progress else None
    try:
        outcome = _process.invoke(arguments, connection, stdin=stdin, on_line=shown.on_line if shown else None)
    finally:
        if shown is not None:
            shown.close()
    return Transfer(out, connection, Plan.read(outcome.only()))


def _flag(mode: str) -> str:
    if mode not in ("move", "copy"):
        message = f"`mode` is {mode!r}; expected 'move' or 'copy'"
        raise CavaticaError(
            message, exit_code=REFUSED, hints=["a move deletes the platform's copies, which can't be undone"]
        )
    return mode


class Transfer:
    """A transfer's file, and the account that runs it.

    The file is all there is to it: it can be run from another process, or by the program ``cavatica``, and knows
    whatever was done before.
    """

    #: The file.
    path: Path
    #: The plan, if this object made it; ``None`` of a transfer that was opened.
    plan: Plan | None

    def __init__(self, path: str | os.PathLike[str], connection: Connection, planned: Plan | None = None) -> None:
        self.path = Path(path)
        self.plan = planned
        self._connection = connection

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        api: Any = None,
        token: str | None = None,
        endpoint: str | None = None,
        profile: str | None = None,
        ca_cert: str | os.PathLike[str] | None = None,
    ) -> Transfer:
        """Open a transfer that was planned before, here or elsewhere.

        Args:
            path: the transfer's file; or the folder of a plan's parts, which are told, verified and audited as one, and
                run one by one.
            api: as for `plan`, and so are the others. Only `run`, `retry`, `verify` and `audit` need an account.
            token: the account's token.
            endpoint: the API's address.
            profile: a profile of ``~/.sevenbridges/credentials``.
            ca_cert: a certificate authority to trust besides the system's.

        Raises:
            CavaticaError: with ``exit_code`` 2: there is no such transfer.

        """
        connection = Connection(api, token, endpoint, profile, ca_cert)
        del api, token
        connection.check()
        transfer = cls(path, connection)
        transfer.status()
        return transfer

    @property
    def fingerprint(self) -> str | None:
        """What stands for all that would be sent, to be approved; ``None`` of a transfer that was opened."""
        return self.plan.fingerprint if self.plan else None

    def run(
        self,
        *,
        approve: str | None = None,
        yes: bool = False,
        on_event: Callable[[Event], None] | None = None,
        progress: bool = False,
        limit: int | None = None,
        max_errors: int | None = None,
        reserve: int = 0,
        poll: Time | None = None,
        settle: Time | None = None,
        **further: Option,
    ) -> Summary:
        """Send every planned file once, and follow it to its end; or go on where an earlier run stopped.

        A first Ctrl-C stops sending and hands back a summary with ``exit_code`` 6; a second quits at once. Either way,
        and if this process dies, the next `run` goes on with the same transfer. A transfer that another process is
        about to let go is waited for, 30 seconds at the most.

        Args:
            approve: run exactly what has this fingerprint, as somebody looked at it.
            yes: instead, run what the file holds.
            on_event: is called in this thread with what happens: the objects of ``docs/json.md``, section
                ``--log-json``. What it raises stops the run in order, and then goes up.
            progress: show how far it is: in place, in a terminal or a notebook.
            limit: send no more files than this, this time.
            max_errors: stop sending once so many files have failed.
            reserve: percent of the limit on requests to leave to the account's other programs, from 0 to 90.
            poll: the shortest wait between two questions about jobs, in seconds; 5 if nothing is said.
            settle: how long a job whose answer was lost is looked for, in seconds; 60 if nothing is said.
            further: any other option of ``cavatica run``.

        Returns:
            How the transfer stands: also if some files failed (``exit_code`` 3), nothing was left to do (4), it was
            interrupted (6), or the outcome of some isn't known (7).

        Raises:
            CavaticaError: nothing could be done, for want of an approval (2) or of permission (5) for instance.

        """
        arguments = options({"yes": yes, "approve": approve, "limit": limit})
        return self._drive("run", arguments, on_event, progress, _pace(max_errors, reserve, poll, settle), further)

    def retry(
        self,
        *,
        codes: Sequence[int] = (),
        yes: bool = False,
        on_event: Callable[[Event], None] | None = None,
        progress: bool = False,
        max_errors: int | None = None,
        reserve: int = 0,
        poll: Time | None = None,
        settle: Time | None = None,
        **further: Option,
    ) -> Summary:
        """Send failed files again, and nothing else.

        Args:
            codes: only files that failed with these codes, permanent failures included; without them, only those
                whose failures pass by waiting.
            yes: send them.
            on_event: as for `run`, and so are the others.
            progress: show how far it is.
            max_errors: stop sending once so many files have failed.
            reserve: percent of the limit on requests to leave to others.
            poll: the shortest wait between two questions, in seconds.
            settle: how long a job is looked for, in seconds.
            further: any other option of ``cavatica retry``.

        Returns:
            How the transfer stands, as `run` does.

        Raises:
            CavaticaError: as for `run`.

        """
        arguments = options({"code": [str(code) for code in codes], "yes": yes})
        return self._drive("retry", arguments, on_event, progress, _pace(max_errors, reserve, poll, settle), further)

    def split(
        self, parts: int, out: str | os.PathLike[str], *, by: Literal["files", "bytes", "folder"] = "files"
    ) -> Split:
        """Split the plan into parts, for other accounts or hosts: disjoint transfers that together are the plan.

        The plan itself runs no more. Needs no account.

        Args:
            parts: how many.
            out: the folder to put them into; it must not exist, or be empty.
            by: what they have as much of as each other: ``files``, ``bytes``, or ``folder``: files, and no folder is
                in two parts.

        Returns:
            The parts, each to be opened with the account that runs it, and one fingerprint to approve for all.

        Raises:
            CavaticaError: with ``exit_code`` 2: something of it was sent, or it has fewer files or folders than that.

        """
        arguments = ["split", str(self.path), *options({"parts": parts, "out": out, "by": by})]
        return Split.read(_process.invoke(arguments, self._connection).only())

    def take(self, *, yes: bool = False) -> Take:
        """Look whether this account may run a transfer that another one planned, and take it.

        Args:
            yes: take it, for ever; without it only the look is done.

        Returns:
            What was found.

        Raises:
            CavaticaError: the account may not read the files or write to the volume, something was sent already, or
                it is the account's own (``exit_code`` 4).

        """
        arguments = ["take", str(self.path), *options({"yes": yes})]
        return Take.read(_process.invoke(arguments, self._connection).only())

    def status(self) -> Summary:
        """Tell how the transfer stands, also while it runs. Needs no account.

        Raises:
            CavaticaError: the transfer can't be read.

        """
        outcome = _process.invoke(["status", str(self.path)], self._connection)
        return Summary.read(outcome.only(), exit_code=outcome.exit_code)

    def verify(
        self, *, against: Literal["volume", "bucket"] = "volume", s3_endpoint: str | None = None
    ) -> Verification:
        """Compare the destination with what the transfer sent there.

        Args:
            against: ``volume`` looks through the platform; ``bucket`` at the bucket itself, with your AWS credentials,
                which are found where the AWS tools find them.
            s3_endpoint: the S3 service, if it isn't Amazon's.

        Returns:
            What was found: also if something differs (``exit_code`` 3) or nothing has arrived yet (4).

        Raises:
            CavaticaError: the destination can't be looked at.

        """
        arguments = ["verify", str(self.path), *options({"against": against, "s3_endpoint": s3_endpoint})]
        outcome = _process.invoke(arguments, self._connection)
        return Verification.read(outcome.only(), exit_code=outcome.exit_code)

    def audit(self) -> Audit:
        """Compare the transfer with the account's own export jobs: whether each file was sent once.

        Returns:
            What was found: also if something disagrees (``exit_code`` 3), nothing was sent yet (4) or the list doesn't
            tell (7). An audit that was interrupted is taken up by the next.

        Raises:
            CavaticaError: the jobs can't be read, or the account isn't the one that ran the transfer.

        """
        outcome = _process.invoke(["audit", str(self.path)], self._connection)
        return Audit.read(outcome.only(), exit_code=outcome.exit_code)

    @overload
    def report(self, target: Format) -> str: ...

    @overload
    def report(self, target: str | os.PathLike[str], format: Format | None = None) -> str | Path: ...

    def report(self, target: str | os.PathLike[str], format: str | None = None) -> str | Path:  # noqa: A002
        """Write what became of every file; also while the transfer runs. Needs no account.

        Args:
            target: a format, ``tsv``, ``csv``, ``jsonl``, ``html``, ``drs`` or ``tags``, of which the text is returned;
                or a path, where a new file is made, in the format that its ending says.
            format: the format of the file, where its ending doesn't tell.

        Returns:
            The text, or the path of the file.

        Raises:
            CavaticaError: the file is there already, or can't be made; or its ending says no format.

        """
        if target in FORMATS and format is None:
            return _process.text(["report", str(self.path), *options({"format": str(target)})], self._connection)
        path = Path(target)
        named = format or path.suffix.lstrip(".")
        if named not in FORMATS:
            message = f"`{visible(str(path))}` doesn't say by its ending how to write it"
            raise CavaticaError(message, exit_code=REFUSED, hints=[f"name the format: {', '.join(FORMATS)}"])
        _process.text(["report", str(self.path), *options({"format": named, "out": path})], self._connection)
        return path

    def rows(self) -> Iterator[dict[str, Any]]:
        """Go through the report, a mapping for every file; ``docs/report.md`` lists the columns.

        Raises:
            CavaticaError: the transfer can't be read.

        """
        return _process.stream(["report", str(self.path)], self._connection)

    def to_pandas(self) -> pandas.DataFrame:
        """Return the report as a data frame of pandas: sizes are bytes, times are UTC, what isn't known is missing."""
        return _frames.to_pandas(self.rows())

    def to_polars(self) -> polars.DataFrame:
        """Return the report as a data frame of polars: sizes are bytes, times are UTC, what isn't known is missing."""
        return _frames.to_polars(self.rows())

    def __repr__(self) -> str:
        what = f": {self.plan.files} files, {size(self.plan.bytes)}, to {self.plan.mode}" if self.plan else ""
        return f"<Transfer {visible(str(self.path))}{what}>"

    def _repr_html_(self) -> str:
        """Show the plan until something was done, and then how it stands."""
        status = self.status()
        untouched = status.completed + status.failed + status.unknown + status.in_flight == 0
        return self.plan._repr_html_() if self.plan and untouched else status._repr_html_()

    def _drive(
        self,
        command: str,
        arguments: list[str],
        on_event: Callable[[Event], None] | None,
        progress: bool,
        pace: Mapping[str, Option],
        further: Mapping[str, Option],
    ) -> Summary:
        shown = Progress(self.path.name) if progress else None
        listeners = [each for each in (on_event, shown.on_event if shown else None) if each is not None]

        def tell(event: Event) -> None:
            for listener in listeners:
                listener(event)

        try:
            outcome = self._once_free(
                [command, str(self.path), *arguments, "--no-progress", *options({**pace, **further})],
                tell if listeners else None,
            )
        finally:
            if shown is not None:
                shown.close()
        if outcome.error is None:
            return Summary.read(outcome.only(), exit_code=outcome.exit_code)
        status = _process.invoke(["status", str(self.path)], self._connection).only()
        return Summary.read(status, exit_code=outcome.exit_code, error=outcome.error)

    def _once_free(self, arguments: list[str], on_event: Callable[[Event], None] | None) -> _process.Outcome:
        """Run the program, again as long as a process that is about to end holds the transfer."""
        until = time.monotonic() + HELD_S
        while True:
            try:
                return _process.invoke(arguments, self._connection, on_event=on_event)
            except CavaticaError as error:
                held = any(reason.name == "held" for reason in error.reasons)
                if not held or time.monotonic() >= until:
                    raise
            time.sleep(0.5)


def _pace(max_errors: int | None, reserve: int, poll: Time | None, settle: Time | None) -> dict[str, Option]:
    return {
        "max_errors": max_errors,
        "reserve": reserve,
        "poll": None if poll is None else duration(poll),
        "settle": None if settle is None else duration(settle),
    }
