"""Shows how far a run is, where somebody asked to see it."""

from __future__ import annotations

import sys
from typing import Any, Callable

from cavatica._process import Event, in_notebook
from cavatica._text import escaped, size, visible

#: How wide the bar is, in characters.
WIDTH = 30


class Progress:
    """One line on standard error, or one output of a notebook, that is written anew when there is news.

    A pipe or a file gets a line for each tenth of the files.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._display: Any | None = None
        self._tenth = -1
        self._drawn = False
        if in_notebook():
            import IPython.display

            rich: Any = IPython.display  # which has no types
            self._html: Callable[[str], Any] = rich.HTML
            self._display = rich.display(rich.HTML(self._page("")), display_id=True)

    def on_line(self, line: str) -> None:
        """Show what the program says to people."""
        self._show(line, line)

    def on_event(self, event: Event) -> None:
        """Show how the transfer stands, if the event tells it."""
        tally = event.get("tally")
        if tally is not None:
            done, total, words = _words(tally)
            filled = WIDTH * done // total if total else WIDTH
            bar = "█" * filled + "░" * (WIDTH - filled)
            tenth = 10 * done // total if total else 10
            self._show(f"{bar} {words}", words, tenth)

    def close(self) -> None:
        """End the line."""
        if self._drawn:
            print(file=sys.stderr)  # noqa: T201

    def _page(self, text: str) -> str:
        # Never a bare title: IPython takes a text that is a file's name for the file.
        return f"<pre>{escaped(self.title)}\n{escaped(text)}</pre>"

    def _show(self, rich: str, plain: str, tenth: int | None = None) -> None:
        if self._display is not None:
            self._display.update(self._html(self._page(rich)))
        elif sys.stderr.isatty():
            print(f"\r\x1b[2K{visible(self.title)}: {visible(rich)}", end="", file=sys.stderr, flush=True)  # noqa: T201
            self._drawn = True
        elif tenth is None or tenth > self._tenth:
            self._tenth = self._tenth if tenth is None else tenth
            print(f"{visible(self.title)}: {visible(plain)}", file=sys.stderr, flush=True)  # noqa: T201


def _words(tally: dict[str, Any]) -> tuple[int, int, str]:
    def files(*names: str) -> int:
        return sum(int(tally[name]["files"]) for name in names)

    done = files("completed", "failed", "unknown")
    total = done + files("planned", "intended", "accepted")
    words = (
        f"{done} of {total} files, {size(tally['completed']['bytes'])}, "
        f"{files('intended', 'accepted')} in flight, {files('failed')} failed, {files('unknown')} unknown"
    )
    return done, total, words
