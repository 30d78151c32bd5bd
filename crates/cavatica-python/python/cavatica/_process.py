"""Runs the program and reads what it prints. Nothing of it reaches the caller's own streams unasked."""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import (
    IO,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    NamedTuple,
    Sequence,
    cast,
)

from cavatica._connection import Connection
from cavatica._documents import document
from cavatica._error import RESULTS, CavaticaError
from cavatica._find import find_program

logger = logging.getLogger("cavatica")

#: What the program tells while it works: an object of ``docs/json.md``, section ``--log-json``.
Event = Dict[str, Any]

#: Lines for a manifest.
Lines = Iterable[str]


class Outcome(NamedTuple):
    """A program that has ended."""

    exit_code: int
    documents: list[dict[str, Any]]
    #: What the program printed instead of its data, or behind it.
    error: CavaticaError | None

    def only(self) -> dict[str, Any]:
        """Return the one document.

        Raises:
            CavaticaError: there is none, but a reason.

        """
        if self.error is not None:
            raise self.error
        if len(self.documents) != 1:
            raise CavaticaError(
                f"the program ended with {self.exit_code} and printed {len(self.documents)} documents instead of one",
                exit_code=self.exit_code,
            )
        return self.documents[0]


def invoke(
    arguments: Sequence[str],
    connection: Connection,
    *,
    stdin: Lines | None = None,
    on_event: Callable[[Event], None] | None = None,
    on_line: Callable[[str], None] | None = None,
    results: Sequence[int] = RESULTS,
) -> Outcome:
    """Run the program to its end.

    A first Ctrl-C lets it stop in order, and what it then prints is handed back; a second ends it at once and goes up.
    If this process dies, the program stops in order, too. It runs in a session of its own, so that a terminal's Ctrl-C
    reaches it through this one only, and not twice.

    Args:
        arguments: the command and its arguments, without ``--json``.
        connection: the platform and the account.
        stdin: lines to read.
        on_event: is called here, in this thread, with what happens meanwhile. What it raises stops the program in
            order, and goes up then.
        on_line: is called here with each line that the program writes for people.
        results: the exit codes that aren't errors.

    Raises:
        CavaticaError: the program ended with another exit code.

    """
    news: queue.Queue[tuple[str, Any]] = queue.Queue()
    with _event_pipe(on_event is not None) as (read_end, write_end):
        log: list[str] = []
        kept: tuple[int, ...] = ()
        if write_end is not None:
            log, kept = ["--log-json", f"/dev/fd/{write_end}"], (write_end,)
        command = _command([arguments[0], *log, *arguments[1:]], connection, "--json")
        if stdin is None:
            command.insert(1, "--stop-at-eof")
        process = _start(command, connection, kept)
    readers = [
        _reader("out", _pipe(process.stdout), news),
        _reader("err", _pipe(process.stderr), news),
    ]
    if read_end is not None:
        readers.append(_reader("event", os.fdopen(read_end, encoding="utf-8", errors="replace"), news))
    writer = _writer(_pipe(process.stdin), stdin) if stdin is not None else None
    documents: list[dict[str, Any]] = []
    told = {"event": on_event, "err": on_line}
    try:
        interrupted = _listen(process, news, len(readers), documents, told)
    except KeyboardInterrupt:
        # The second: nothing goes on behind the caller's back, and what was sent stands in the journal.
        process.kill()
        raise
    finally:
        process.wait()
        if writer is None:
            _pipe(process.stdin).close()
    error = CavaticaError.read(documents.pop()["error"]) if documents and _is_failure(documents[-1]) else None
    exit_code = process.returncode
    if interrupted and exit_code < 0:
        raise KeyboardInterrupt  # a command that has nothing to bring in order has just ended
    if exit_code not in results:
        raise error or CavaticaError(f"the program ended with {exit_code} and said nothing", exit_code=exit_code)
    return Outcome(exit_code, documents, error)


def stream(arguments: Sequence[str], connection: Connection) -> Iterator[dict[str, Any]]:
    """Run the program and hand on each of its documents when it comes.

    Raises:
        CavaticaError: the program could not do its work; what came before has been handed on.

    """
    process = _start(_command(arguments, connection, "--json"), connection, ())
    _pipe(process.stdin).close()
    drain = _reader("err", _pipe(process.stderr), queue.Queue())
    documents = _pipe(process.stdout)
    try:
        for line in documents:
            read = document(line)
            if _is_failure(read):
                raise CavaticaError.read(read["error"])
            yield read
        exit_code = process.wait()
        if exit_code != 0:
            raise CavaticaError(f"the program ended with {exit_code}", exit_code=exit_code)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        drain.join()
        documents.close()


def text(arguments: Sequence[str], connection: Connection) -> str:
    """Run the program and return what it prints for other programs than this one.

    Raises:
        CavaticaError: the program could not do its work.

    """
    process = _start(_command(arguments, connection), connection, ())
    out, err = process.communicate()
    if process.returncode != 0:
        said, causes, hints = (_after(start, err) for start in ("error: ", "  caused by: ", "hint: "))
        message = said[0] if said else "the program said nothing"
        raise CavaticaError(message, exit_code=process.returncode, causes=causes, hints=hints)
    return out


def _after(start: str, printed: str) -> list[str]:
    """Find the lines that begin so, without what they begin with."""
    return [line[len(start) :] for line in printed.splitlines() if line.startswith(start)]


def _pipe(pipe: IO[str] | None) -> IO[str]:
    return cast("IO[str]", pipe)  # all three are asked for in `_start`


def _is_failure(read: dict[str, Any]) -> bool:
    return isinstance(read.get("error"), dict) and "exit" in read["error"]


def _command(arguments: Sequence[str], connection: Connection, *further: str) -> list[str]:
    """Put what holds for every command in front, where no `--` ends the options."""
    return [find_program(), *further, *connection.arguments(), *arguments]


def _start(command: list[str], connection: Connection, kept: tuple[int, ...]) -> subprocess.Popen[str]:
    logger.debug("%s", command)
    try:
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=connection.environment(),
            encoding="utf-8",
            errors="replace",
            pass_fds=kept,
            start_new_session=True,
        )
    except OSError as error:
        # Not as its cause: a traceback that shows locals would show the environment.
        failed = f"the program {command[0]} can't be started: {error.strerror}"
    raise CavaticaError(failed)


@contextmanager
def _event_pipe(wanted: bool) -> Iterator[tuple[int | None, int | None]]:
    """Make a pipe of which this process keeps the reading end only."""
    if not wanted:
        yield None, None
        return
    read_end, write_end = os.pipe()
    try:
        yield read_end, write_end
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)


def _reader(kind: str, pipe: IO[str], news: queue.Queue[tuple[str, Any]]) -> threading.Thread:
    """Read a pipe to its end, however slow the caller is: the program never waits for somebody to listen."""

    def read() -> None:
        with pipe:
            for line in pipe:
                news.put((kind, line))
        news.put(("end", kind))

    thread = threading.Thread(target=read, daemon=True, name=f"cavatica-{kind}")
    thread.start()
    return thread


def _writer(pipe: IO[str], lines: Lines) -> threading.Thread:
    def write() -> None:
        # The program may have had enough, and says why.
        with suppress(OSError), pipe:
            for line in lines:
                pipe.write(line)

    thread = threading.Thread(target=write, daemon=True, name="cavatica-in")
    thread.start()
    return thread


def _listen(
    process: subprocess.Popen[str],
    news: queue.Queue[tuple[str, Any]],
    open_pipes: int,
    documents: list[dict[str, Any]],
    told: dict[str, Callable[[Any], None] | None],
) -> bool:
    """Hand on the news until all pipes have ended, and tell whether Ctrl-C was pressed."""
    stopping: BaseException | None = None
    while open_pipes:
        try:
            kind, line = news.get()
            if kind == "end":
                open_pipes -= 1
            elif kind == "out":
                documents.append(document(line))
            elif kind == "event":
                read = document(line)
                if told["event"] is not None and stopping is None:
                    told["event"](read)
            else:
                logger.info("%s", line.rstrip("\n"))
                if told["err"] is not None and stopping is None:
                    told["err"](line.rstrip("\n"))
        except KeyboardInterrupt as interrupt:
            if stopping is not None:
                raise
            stopping = interrupt
            process.send_signal(signal.SIGINT)
        except Exception as error:
            if stopping is None:
                process.send_signal(signal.SIGINT)
            stopping = error
    if isinstance(stopping, Exception):
        raise stopping
    return stopping is not None


def in_notebook() -> bool:
    """Whether somebody looks at rich output."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None
