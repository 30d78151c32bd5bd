"""The rows of a report as data frames. Neither library is needed before one is asked for."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator

if TYPE_CHECKING:
    import pandas
    import polars

#: Rows that are held as objects at a time; a million of them would take some gigabytes.
CHUNK = 50_000

#: The columns of a report that aren't text; ``docs/report.md`` has all of them.
INTEGERS = ("size", "code", "attempts")
TIMES = ("started", "finished", "verified_at")

Row = Dict[str, Any]


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while True:
        chunk = list(itertools.islice(rows, CHUNK))
        if not chunk:
            return
        for row in chunk:
            row.pop("version", None)
            for name, value in row.items():
                # What isn't known is empty, whatever the column holds.
                if value == "":
                    row[name] = None
        yield chunk


def to_pandas(rows: Iterable[Row]) -> pandas.DataFrame:
    """Make a data frame of pandas."""
    import pandas as pd

    def frame(chunk: list[Row]) -> pandas.DataFrame:
        made = pd.DataFrame.from_records(chunk)
        for name in made.columns:
            if name in INTEGERS:
                made[name] = pd.to_numeric(made[name]).astype("Int64")
            elif name in TIMES:
                made[name] = pd.to_datetime(made[name], utc=True)
            else:
                made[name] = made[name].astype("string")
        return made

    frames = [frame(chunk) for chunk in _chunks(rows)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def to_polars(rows: Iterable[Row]) -> polars.DataFrame:
    """Make a data frame of polars."""
    import polars as pl

    def frame(chunk: list[Row]) -> polars.DataFrame:
        schema = {name: pl.Int64 if name in INTEGERS else pl.String for name in chunk[0]}
        made = pl.DataFrame(chunk, schema=schema)
        times = [pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC") for name in TIMES if name in schema]
        typed: polars.DataFrame = made.with_columns(times)
        return typed

    frames = [frame(chunk) for chunk in _chunks(rows)]
    return pl.concat(frames) if frames else pl.DataFrame()
