"""Ctrl-C once and twice, and a parent that dies."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cavatica
import pytest
from conftest import Planner

#: A program of somebody's, which runs a transfer and says when files were sent.
PROGRAM = """
import sys, cavatica
def tell(event):
    if event["event"] == "batch_answered":
        print("sent", flush=True)
try:
    summary = cavatica.Transfer.open(sys.argv[1]).run(yes=True, poll=0.05, on_event=tell)
    print("summary", summary.exit_code, flush=True)
except KeyboardInterrupt:
    print("quit", flush=True)
"""


def started(transfer: cavatica.Transfer, sandbox: cavatica.Sandbox) -> subprocess.Popen[str]:
    environment = {**os.environ, **sandbox.environment()}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(transfer.path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "sent\n"
    return process


def test_one_interrupt_stops_in_order(planned: Planner, slow: cavatica.Sandbox) -> None:
    transfer = planned(slow)
    process = started(transfer, slow)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert out.splitlines()[-1] == "summary 6"


def test_in_this_process_too(planned: Planner, slow: cavatica.Sandbox) -> None:
    transfer = planned(slow)

    def interrupt(event: Any) -> None:
        if event["event"] == "batch_answered":
            os.kill(os.getpid(), signal.SIGINT)

    summary = transfer.run(yes=True, poll=0.05, on_event=interrupt)
    assert summary.interrupted
    assert summary.in_flight > 0


def test_two_interrupts_quit_at_once(planned: Planner, slow: cavatica.Sandbox) -> None:
    transfer = planned(slow)

    def interrupt(event: Any) -> None:
        if event["event"] == "batch_answered":
            raise KeyboardInterrupt

    send = subprocess.Popen.send_signal

    def deaf(process: subprocess.Popen[str], number: int) -> None:
        """Keep the first request from the program, and interrupt once more: only the second can end it."""
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        send(process, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "send_signal", deaf)
        with pytest.raises(KeyboardInterrupt):
            transfer.run(yes=True, poll=0.05, on_event=interrupt)
    assert transfer.status().in_flight > 0


def test_an_interrupt_goes_up_where_nothing_has_to_be_brought_in_order(tmp_path: Path) -> None:
    class Impatient(queue.Queue):  # type: ignore[type-arg]
        """Interrupted as soon as somebody waits."""

        def get(self, *args: Any, **options: Any) -> Any:
            if not hasattr(self, "waited"):
                self.waited = True
                raise KeyboardInterrupt
            return super().get(*args, **options)

    with cavatica.Sandbox(faults="hang-before") as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue, "Queue", Impatient)
        with pytest.raises(KeyboardInterrupt):
            cavatica.plan(tmp_path / "t", project=sandbox.project, volume="sandbox/output", mode="copy", api=sandbox)


def test_a_parent_that_dies_leaves_a_transfer_that_goes_on(planned: Planner) -> None:
    with cavatica.Sandbox(job_duration=(3, 3)) as sandbox:
        transfer = planned(sandbox, on={"alias": "skip"})
        process = started(transfer, sandbox)
        process.kill()
        process.wait()
        summary = cavatica.Transfer.open(transfer.path, api=sandbox).run(yes=True, poll=0.05)
        ledger = sandbox.ledger()
    assert summary.exit_code == 3, "the archived file fails, as planned"
    assert summary.completed == 6
    assert ledger["starts"] == 6, "nothing was sent twice"


def test_who_really_holds_a_transfer_is_told(planned: Planner, slow: cavatica.Sandbox, monkeypatch: Any) -> None:
    monkeypatch.setattr("cavatica._transfer.HELD_S", 0.0)
    transfer = planned(slow)
    process = started(transfer, slow)
    with pytest.raises(cavatica.CavaticaError) as refused:
        transfer.run(yes=True)
    assert [reason.name for reason in refused.value.reasons] == ["held"]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_a_sandbox_ends_with_its_parent(tmp_path: Path) -> None:
    program = "import cavatica, time; s = cavatica.Sandbox().start(); print(s.endpoint, flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    endpoint = process.stdout.readline().strip()
    assert endpoint.startswith("http://127.0.0.1:")
    process.kill()
    process.wait()
    until = time.monotonic() + 30
    while True:
        try:
            cavatica.plan(
                tmp_path / "t.transfer", project="a/b", volume="a/b", mode="copy", token="t", endpoint=endpoint
            )
        except cavatica.CavaticaError as error:
            if error.exit_code != 5:
                return  # nobody answers any more
        assert time.monotonic() < until
