"""What needs no transfer: one export, and a look at a list of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cavatica import _process
from cavatica._arguments import Option, Time, duration, manifest, options
from cavatica._connection import Connection
from cavatica._documents import Finding, Job
from cavatica._error import REFUSED, RESULTS
from cavatica._transfer import _flag

if TYPE_CHECKING:
    from typing import Literal


def export(
    file: Any,
    volume: str,
    location: str,
    *,
    mode: Literal["move", "copy"],
    wait: bool = False,
    timeout: Time = 1800,
    overwrite: bool = False,
    api: Any = None,
    token: str | None = None,
    endpoint: str | None = None,
    profile: str | None = None,
    ca_cert: str | os.PathLike[str] | None = None,
    **further: Option,
) -> Job:
    """Export one file to a volume; an answer that is lost is looked up, so that it is started once.

    Args:
        file: its id, or an object with an ``id``, as the official client's files are.
        volume: the volume's id, ``owner/name``.
        location: the key of the new object, relative to the volume and its prefix.
        mode: ``move`` deletes the platform's copy, which can't be undone; ``copy`` keeps it.
        wait: wait until the job has ended.
        timeout: how long to wait at the most, in seconds.
        overwrite: let the platform delete an object that is there already; it can't be brought back.
        api: a ``sevenbridges.Api`` or a `Sandbox`, as for `plan`; and so are the others.
        token: the account's token.
        endpoint: the API's address.
        profile: a profile of ``~/.sevenbridges/credentials``.
        ca_cert: a certificate authority to trust besides the system's.
        further: any other option of ``cavatica export``.

    Returns:
        The job; with `wait` also if it has failed (``exit_code`` 3) or not ended in time (7). Its id is empty if the
        answer was lost, and the file is found to have been moved.

    Raises:
        CavaticaError: the export was not started, with all reasons at once; or there is no job to hand back.

    """
    connection = Connection(api, token, endpoint, profile, ca_cert)
    del api, token
    connection.check()
    arguments = options({_flag(mode): True, "wait": wait, "overwrite": overwrite, **further})
    if wait:
        arguments += options({"timeout": duration(timeout)})
    named = [str(getattr(file, "id", file)), volume, location]
    outcome = _process.invoke(["export", *arguments, "--", *named], connection)
    if outcome.documents:
        return Job.read(outcome.documents[-1], exit_code=outcome.exit_code)
    if outcome.error is not None:
        raise outcome.error
    # The answer was lost, and the file is an alias of the new object: it is there, and which job it was isn't known.
    destination = {"volume": volume, "location": location}
    return Job("", "COMPLETED", {"file": named[0]}, destination, outcome.exit_code)


def check(files: Any, *, prefix: str | None = None, dest: str | None = None, flatten: bool = False) -> list[Finding]:
    """Check a list of files: bad rows, bad locations, keys used twice. Needs no account and no network.

    Args:
        files: a data frame, a list, or a path, as for `plan`.
        prefix: what every location begins with.
        dest: how locations are made for rows without one; without it ``{path}/{name}``.
        flatten: put all files into one folder.

    Returns:
        What was found, errors and warnings, in the order of the rows; empty if all is well.

    Raises:
        CavaticaError: the list can't be read at all.

    """
    name, stdin = manifest(files)
    arguments = ["check", *options({"prefix": prefix, "dest": dest, "flatten": flatten}), "--", *name]
    outcome = _process.invoke(arguments, Connection(), stdin=stdin, results=(*RESULTS, REFUSED))
    if outcome.error is not None:
        raise outcome.error
    return [Finding.read(each) for each in outcome.documents]
