"""What the program prints with ``--json``, as objects: attributes bear the names of ``docs/json.md``."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Mapping, TypeVar

from cavatica import _error
from cavatica._error import CavaticaError
from cavatica._text import size, table, visible

#: The version of ``docs/json.md`` that this package reads.
VERSION = 1

#: Failures that are shown of a summary; all of them are in its attribute.
SHOWN = 10

R = TypeVar("R", bound="Record")


def document(line: str) -> dict[str, Any]:
    """Read one document.

    Raises:
        CavaticaError: it isn't JSON, or of a version that this package doesn't know.

    """
    try:
        read = json.loads(line)
    except ValueError:
        message = "the program printed something other than JSON; is CAVATICA_BIN another program?"
        raise CavaticaError(message) from None
    version = read.get("version") if isinstance(read, dict) else None
    if version != VERSION:
        raise CavaticaError(
            f"the program speaks version {version!r} of its JSON, and this package knows {VERSION}",
            hints=["install the program and the package of one release; CAVATICA_BIN may name another program"],
        )
    return dict(read)


def each(record: type[Record]) -> Any:
    """Say that a field holds a list of such records."""
    return field(default=(), metadata={"each": record})


@dataclass(frozen=True)
class Record:
    """A document of the program, or a part of one."""

    @classmethod
    def read(cls: type[R], read: Mapping[str, Any], **beside: Any) -> R:
        """Take the fields that this class knows; the program may print more."""
        values = dict(beside)
        for known in dataclasses.fields(cls):
            if known.name not in read:
                continue
            value = read[known.name]
            record = known.metadata.get("each")
            single = known.metadata.get("one")
            if record is not None:
                value = tuple(record.read(item) for item in value or ())
            elif single is not None:
                value = None if value is None else single.read(value)
            elif isinstance(value, list):
                value = tuple(value)
            values[known.name] = value
        try:
            return cls(**values)
        except TypeError as error:
            raise CavaticaError("the program's answer lacks a key", causes=[str(error)]) from None


@dataclass(frozen=True)
class Caution(Record):
    """Something that one should know before a plan is run."""

    #: A stable name.
    name: str
    #: A sentence, about the first file where it concerns files.
    message: str
    #: What to do about it.
    remedy: str
    #: How many files it concerns; 0 if it concerns the volume.
    files: int

    def sentence(self) -> str:
        """Write it for people."""
        others = f"{self.files} files, the first is " if self.files > 1 else ""
        return f"{others}{self.message}; {self.remedy}"


@dataclass(frozen=True)
class Collision(Record):
    """Locations that differ only in letter case or Unicode form, and meet on disks that don't tell them apart."""

    #: ``case``.
    kind: str
    locations: tuple[str, ...]
    file_ids: tuple[str, ...]
    #: How many there are.
    files: int


@dataclass(frozen=True)
class Sample(Record):
    """One of the first files of a plan."""

    file_id: str
    #: Its key in the bucket, the volume's prefix included.
    key: str
    #: Its path on the platform.
    path: str | None = None


@dataclass(frozen=True)
class Part(Record):
    """One of the disjoint transfers that a plan was split into."""

    #: The transfer's file, for ``Transfer.open``.
    transfer: str
    #: What stands for this part alone.
    fingerprint: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Split(Record):
    """What a plan was split into."""

    #: The transfer that was split; it runs no more.
    transfer: str
    #: The folder with the parts. Opened as a transfer, it tells of all of them together.
    folder: str
    #: 64 hex digits over all parts, for ``Transfer.run(approve=...)`` of each.
    fingerprint: str
    #: By their numbers.
    parts: tuple[Part, ...] = each(Part)


@dataclass(frozen=True)
class Take(Record):
    """What an account found that is to take a transfer."""

    transfer: str
    #: The account that asks, and may run it.
    account: str
    #: The account that planned it.
    planned_by: str
    #: The volume's id.
    volume: str
    #: All files of the plan.
    files: int
    #: How many of them were read.
    looked_at: int
    #: Whether the transfer is the account's now.
    taken: bool


@dataclass(frozen=True)
class Plan(Record):
    """What would be sent, where to, and what stands against it."""

    #: The transfer's file.
    transfer: str
    #: 64 hex digits over all that would be sent, for ``Transfer.run(approve=...)``.
    fingerprint: str
    #: ``move`` or ``copy``.
    mode: str
    #: The volume's id.
    volume: str
    #: What the platform puts before every location.
    volume_prefix: str
    #: What every location begins with.
    prefix: str
    #: How many files would be sent; 0 if there is nothing to do.
    files: int
    #: Their bytes.
    bytes: int
    #: Requests made.
    requests: int
    #: The bucket behind the volume, if the platform tells.
    bucket: str | None = None
    #: How many files were left out, by the name of the reason.
    skipped: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[Caution, ...] = each(Caution)
    collisions: tuple[Collision, ...] = each(Collision)
    #: The first few files.
    sample: tuple[Sample, ...] = each(Sample)
    #: What it was split into at once, if it was.
    split: Split | None = field(default=None, metadata={"one": Split})

    def _repr_html_(self) -> str:
        rows: tuple[tuple[str, object], ...] = (
            ("files", f"{self.files}, {size(self.bytes)}"),
            ("to", f"volume {self.volume}, bucket {self.bucket or 'unknown'}"),
            ("keys begin with", self.volume_prefix + self.prefix or "nothing in common"),
            *(("left out", f"{files}, {reason}") for reason, files in self.skipped.items()),
            *(("warning", each.sentence()) for each in self.warnings),
            *(("collide", ", ".join(each.locations)) for each in self.collisions),
            *(("for instance", f"{each.path or each.file_id} → {each.key}") for each in self.sample),
            ("fingerprint", self.fingerprint),
        )
        return table(f"{self.transfer}: planned, to {self.mode}", rows)


@dataclass(frozen=True)
class Failure(Record):
    """A file that failed, or whose outcome isn't known."""

    file_id: str
    #: Where it was to go, without the volume's prefix.
    location: str
    #: ``failed`` or ``unknown``.
    state: str
    #: What the platform said.
    message: str
    #: What to do about it.
    advice: str
    #: The platform's code.
    code: int | None = None
    #: For the platform's support.
    request_id: str | None = None


@dataclass(frozen=True)
class Summary(Record):
    """How a transfer stands. ``completed + failed + unknown + left`` are all files of the plan."""

    transfer: str
    #: ``planned``, ``running``, ``unfinished``, ``differs``, ``unknown``, ``failed``, ``done``; or ``split``: its parts
    #: run in its place, and the counts are 0.
    state: str
    #: Files that the platform confirmed.
    completed: int
    #: Files that it refused or failed.
    failed: int
    #: Files of which the outcome can't be known.
    unknown: int
    #: Files that the plan left out.
    skipped: int
    #: Files that are none of these yet.
    left: int
    #: Of those left, files that were sent, or may have been.
    in_flight: int
    #: Files whose answers were lost and that were settled by asking the platform.
    reconciled: int
    #: Requests, of this run; ``status``: of all runs.
    requests: int
    #: Seconds, of this run; ``status``: of all runs.
    elapsed_s: float
    #: How the program ended: 0, or 3 some failed, 4 nothing to do, 6 interrupted, 7 some unknown. 0 of ``status``.
    exit_code: int
    #: The name that its user gave the transfer.
    label: str | None = None
    #: The first 10,000.
    failures: tuple[Failure, ...] = each(Failure)
    #: What ended the run before its time, as when the platform can't be reached.
    error: CavaticaError | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the run was stopped; running the transfer again goes on with it."""
        return self.exit_code == _error.INTERRUPTED

    def _repr_html_(self) -> str:
        rows: tuple[tuple[str, object], ...] = (
            *(
                (name, getattr(self, name))
                for name in ("completed", "failed", "unknown", "left", "in_flight", "skipped")
            ),
            ("requests", self.requests),
            ("seconds", round(self.elapsed_s, 1)),
            *(
                (f"{each.state} {each.code or ''}", f"{each.location}: {each.message} What to do: {each.advice}")
                for each in self.failures[:SHOWN]
            ),
            *([("ended by", self.error.message)] if self.error else []),
        )
        more = self.failed + self.unknown - len(self.failures[:SHOWN])
        if more > 0:
            rows += (("and", f"{more} more, in `failures`"),)
        return table(self.label or self.transfer, rows)


@dataclass(frozen=True)
class Verification(Record):
    """What a look at the destination found. ``same + missing + differ + errors`` are all completed files."""

    transfer: str
    #: ``volume`` or ``bucket``.
    against: str
    #: Completed files whose objects are there, as far as they can be compared.
    same: int
    #: Completed files whose objects aren't there.
    missing: int
    #: Objects that the transfer doesn't know as completed.
    extra: int
    #: Completed files whose objects aren't what they were to be.
    differ: int
    #: Completed files that could not be looked at.
    errors: int
    #: 0, or 3 something differs, 4 nothing has arrived yet.
    exit_code: int
    #: Of the same, files whose sizes could not be compared.
    same_without_size: int = 0

    @property
    def ok(self) -> bool:
        """Whether something has arrived, and nothing differs."""
        return self.exit_code == _error.DONE

    def _repr_html_(self) -> str:
        names = ("same", "same_without_size", "missing", "extra", "differ", "errors")
        title = f"{self.transfer}, compared with the {self.against}: {'ok' if self.ok else 'not ok'}"
        return table(title, ((name, getattr(self, name)) for name in names))


@dataclass(frozen=True)
class Disagreement(Record):
    """A file of which the account's jobs say something else than the transfer."""

    #: A stable name, which ``docs/runbooks.md`` explains.
    name: str
    file_id: str
    #: Where it was to go, without the volume's prefix.
    location: str
    #: What was expected, and what was found.
    message: str
    #: What to do about it.
    advice: str
    #: The job in question.
    export_id: str | None = None


@dataclass(frozen=True)
class Audit(Record):
    """What the account's own export jobs say of a transfer. Jobs that other accounts started don't show."""

    transfer: str
    #: The account whose jobs were read.
    account: str
    #: All files of the plan.
    files: int
    #: Different jobs that were read.
    jobs: int
    #: Requests made, those of interrupted audits that this one went on with included.
    requests: int
    #: Whether as many different jobs came as the platform says that there are.
    complete: bool
    #: Whether the list is complete and says what the transfer says.
    agrees: bool
    #: How many files disagree, by the name of the disagreement.
    totals: Mapping[str, int]
    #: 0, or 3 something disagrees, 4 nothing was sent yet, 7 the list doesn't tell.
    exit_code: int
    #: The first 10,000.
    findings: tuple[Disagreement, ...] = each(Disagreement)

    def _repr_html_(self) -> str:
        rows: tuple[tuple[str, object], ...] = (
            ("files", self.files),
            ("jobs", f"{self.jobs}{'' if self.complete else ', not all that there are'}"),
            *((name, files) for name, files in self.totals.items() if files),
            *(
                (each.name, f"{each.location}: {each.message} What to do: {each.advice}")
                for each in self.findings[:SHOWN]
            ),
        )
        word = "agree" if self.agrees else "disagree"
        return table(f"{self.transfer} and the jobs of {self.account} {word}", rows)


@dataclass(frozen=True)
class Finding(Record):
    """Something about a row of a manifest."""

    #: ``error`` or ``warning``.
    severity: str
    #: A stable name, which ``cavatica explain NAME`` knows.
    name: str
    #: The line of the manifest, its header being the first; the row of a data frame is two less.
    line: int
    #: What is wrong with it.
    message: str
    #: What was expected.
    remedy: str
    #: The column, counted from 1.
    position: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = f" `{visible(self.column)}`" if self.column else ""
        return visible(f"line {self.line}{where}: {self.severity}: {self.message} [{self.name}]; {self.remedy}")


@dataclass(frozen=True)
class Job(Record):
    """An export job, as the platform sent it."""

    id: str
    #: ``PENDING``, ``RUNNING``, ``COMPLETED`` or ``FAILED``; the platform may have others.
    state: str
    #: The file.
    source: Mapping[str, Any]
    #: The volume and the location.
    destination: Mapping[str, Any]
    #: How the program ended: 0, or 3 the job failed, 7 it has not ended in time.
    exit_code: int
    #: Why it failed, in the platform's words.
    error: Mapping[str, Any] | None = None
