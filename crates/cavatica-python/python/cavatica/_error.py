"""The one error of this package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from cavatica._text import visible

#: How the program ends; ``docs/guide.md`` says when.
DONE, OTHER, REFUSED, SOME_FAILED, NOTHING_TO_DO, DENIED, INTERRUPTED, UNKNOWN = range(8)

#: Endings that come as results: the work was done, as far as it could be.
RESULTS = (DONE, SOME_FAILED, NOTHING_TO_DO, INTERRUPTED, UNKNOWN)


@dataclass(frozen=True)
class Reason:
    """One of several reasons why something could not be done."""

    #: A stable name, which ``cavatica explain NAME`` knows.
    name: str
    #: The reason in words.
    message: str
    #: What to do about it; may be empty.
    remedy: str


class CavaticaError(Exception):
    """The program could not do what it was asked to.

    Attributes:
        message: what happened, to what.
        exit_code: how the program ended: 2 was refused before anything was sent, 5 is about credentials or
            permission, 6 was interrupted, 7 leaves an outcome unknown, 1 is anything else.
        reasons: the reasons, where there are several; may be empty.
        causes: what lies behind it, the nearest first.
        hints: what to do next; may be empty.

    """

    def __init__(
        self,
        message: str,
        *,
        exit_code: int = OTHER,
        reasons: Iterable[Reason] = (),
        causes: Iterable[str] = (),
        hints: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.reasons: tuple[Reason, ...] = tuple(reasons)
        self.causes: tuple[str, ...] = tuple(causes)
        self.hints: tuple[str, ...] = tuple(hints)

    @property
    def hint(self) -> str | None:
        """What to do next, a line for each; ``None`` if the program knows nothing."""
        return "\n".join(self.hints) or None

    def __str__(self) -> str:
        lines = [self.message]
        for reason in self.reasons:
            lines.append(f"  {reason.name}: {reason.message}")
            if reason.remedy:
                lines.append(f"    {reason.remedy}")
        lines += [f"  caused by: {cause}" for cause in self.causes]
        lines += [f"hint: {hint}" for hint in self.hints]
        return "\n".join(visible(line) for line in lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross processes, in task runners for instance; their keywords have to come along.
        return (_rebuilt, (self.message, self.exit_code, self.reasons, self.causes, self.hints))

    @classmethod
    def read(cls, error: Mapping[str, Any]) -> CavaticaError:
        """Read the key ``error`` of a document."""
        return cls(
            str(error["message"]),
            exit_code=int(error["exit"]),
            reasons=(Reason(each["name"], each["message"], each["remedy"]) for each in error["details"]),
            causes=error["causes"],
            hints=error["hints"],
        )


def _rebuilt(
    message: str, exit_code: int, reasons: Iterable[Reason], causes: Iterable[str], hints: Iterable[str]
) -> CavaticaError:
    return CavaticaError(message, exit_code=exit_code, reasons=reasons, causes=causes, hints=hints)
