"""Turns Python values into the program's arguments."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any, Iterator, Mapping, Sequence, Union

from cavatica._error import REFUSED, CavaticaError

#: What an option of the program can be given: a list repeats it, a mapping writes KEY=VALUE, ``True`` is a flag alone,
#: ``None`` and ``False`` leave it out. A time is a ``timedelta``, or a number of seconds.
Option = Union[None, bool, int, float, str, "os.PathLike[str]", timedelta, Sequence[str], Mapping[str, str]]

#: A time, or a number of seconds.
Time = Union[float, timedelta]


def option(name: str, value: Option) -> list[str]:
    """Write one option. Values stand behind `=`, so that none is taken for an option itself."""
    flag = "--" + name.strip("_").replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if isinstance(value, Mapping):
        return [f"{flag}={key}={item}" for key, item in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [f"{flag}={item}" for item in value]
    if isinstance(value, timedelta):
        return [f"{flag}={duration(value)}"]
    return [f"{flag}={os.fspath(value) if isinstance(value, os.PathLike) else value}"]


def options(values: Mapping[str, Option]) -> list[str]:
    """Write several options."""
    return [argument for name, value in values.items() for argument in option(name, value)]


def duration(time: Time) -> str:
    """Write a time as the program reads it: whole milliseconds, rounded up."""
    seconds = time.total_seconds() if isinstance(time, timedelta) else float(time)
    return f"{-int(-seconds * 1000 // 1)}ms"


def manifest(files: Any) -> tuple[list[str], Any]:
    """Return how a manifest is named, and its lines if they aren't in a file.

    Args:
        files: a path; or a data frame of pandas or polars, with the columns of a manifest; or a list of file ids, of
            mappings with such columns, or of objects with an ``id``, as the official client's files are.

    Raises:
        CavaticaError: it is none of these.

    """
    if isinstance(files, (str, os.PathLike)):
        return [os.fspath(files)], None
    if hasattr(files, "write_csv"):  # polars
        return ["-"], _csv(files.write_csv())
    if hasattr(files, "to_csv"):  # pandas
        return ["-"], _csv(files.to_csv(index=False))
    if isinstance(files, Mapping) or not hasattr(files, "__iter__"):
        raise CavaticaError(
            f"`files` is a {type(files).__name__}; expected a path, a data frame, or a list of file ids or of rows",
            exit_code=REFUSED,
        )
    return ["-"], _rows(files)


def _csv(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _rows(files: Any) -> Iterator[str]:
    for file in files:
        row = dict(file) if isinstance(file, Mapping) else {"file_id": str(getattr(file, "id", file))}
        yield json.dumps(row, ensure_ascii=False) + "\n"
