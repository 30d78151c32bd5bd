"""Text from outside, made fit to be shown."""

from __future__ import annotations

import html
from typing import Iterable

#: Powers of 1024 and their names.
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def visible(text: str) -> str:
    """Show what would not be seen: control characters, and those that turn or hide text."""
    return "".join(character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in text)


def escaped(value: object) -> str:
    """Write a value as text within HTML."""
    return html.escape(visible(str(value)))


def size(number: float) -> str:
    """Write a number of bytes for people."""
    if number < 1024:
        return f"{number:.0f} bytes"
    for unit in UNITS[1:]:
        number /= 1024
        if number < 1024 or unit == UNITS[-1]:
            break
    return f"{number:.2f} {unit}"


def table(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """Write names and values as a table in HTML."""
    lines = "".join(
        f"<tr><th style='text-align:left'>{escaped(name)}</th><td style='text-align:left'>{escaped(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table><caption style='text-align:left;white-space:nowrap'>{escaped(title)}</caption>{lines}</table>"
