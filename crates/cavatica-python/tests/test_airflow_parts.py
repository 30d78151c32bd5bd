"""Mapped tasks over the parts of a plan, under Airflow's scheduler with its local executor: `cargo xtask airflow`.

Programs and workers are killed, and Airflow begins their tasks again. The sandbox's ledger judges.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import cavatica
import pytest

pytest.importorskip("airflow.sdk")

FILES, PARTS, KILLS = 1_000, 4, 6

#: One that takes longer hangs, in seconds.
LONGEST = 900

DAG = """
import os
from datetime import timedelta

from airflow.sdk import dag
from cavatica.airflow import CavaticaTransferOperator

@dag(schedule=None)
def cohort():
    CavaticaTransferOperator.partial(
        task_id="export", mode=None, approve=os.environ["APPROVED"], retries=20, retry_delay=timedelta(0),
        run_options={"poll": 0.1, "settle": 2, "share": "1/2"},
    ).expand_kwargs([
        {"transfer": f"{os.environ['PARTS']}/part-{number}.transfer", "cavatica_conn_id": account}
        for number, account in enumerate(["sandbox", "sandbox", "colleague", "colleague"], 1)
    ])

cohort()
"""


class Airflow:
    """A scheduler and the server that its workers report to, in a folder of their own."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home = home
        self.environment = {
            **environment,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(PARTS),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__API_AUTH__JWT_SECRET": "of this test alone, and long enough for it",
        }

    def command(self, *arguments: str) -> None:
        done = subprocess.run(
            [self.program, *arguments], env=self.environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @contextlib.contextmanager
    def daemon(self, *arguments: str) -> Iterator[None]:
        with (self.home / f"{arguments[0]}.log").open("w") as log:
            process = subprocess.Popen(
                [self.program, *arguments],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @property
    def program(self) -> str:
        return str(Path(sys.executable).with_name("airflow"))

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def ask(self, query: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=60)) as found:
            return found.execute(query).fetchall()


def kill_somebody(parts: list[str], chance: random.Random) -> bool:
    """Kill the program that runs a part, or the worker that it belongs to."""
    told = subprocess.run(
        [cavatica.find_program(), "status", chance.choice(parts), "--json"], check=True, stdout=subprocess.PIPE
    )
    owner = json.loads(told.stdout)["owner"]
    if owner is None:
        return False
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        process = owner["process"]
        if chance.random() < 0.5:
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(process, signal.SIGKILL)
        return True
    return False


def test_mapped_tasks_over_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "source"
    for number in range(FILES):
        file = source / f"batch-{number // 100}" / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"file {number}\n")
    with cavatica.Sandbox(
        project_from=source, account=["colleague"], rate_limit=(40, 5), job_duration=(0.5, 2)
    ) as sandbox:
        planned = cavatica.plan(
            tmp_path / "t.transfer",
            project=sandbox.project,
            volume="sandbox/output",
            mode="move",
            parts=PARTS,
            api=sandbox,
        )
        assert planned.plan is not None
        split = planned.plan.split
        assert split is not None
        parts = [part.transfer for part in split.parts]
        for part in parts[PARTS // 2 :]:
            colleague = cavatica.Transfer.open(part, token=sandbox.accounts["colleague"], endpoint=sandbox.endpoint)
            assert colleague.take(yes=True).taken
        killed, tries = mapped(tmp_path, sandbox, split, parts)
        together = cavatica.Transfer.open(split.folder, api=sandbox)
        assert (together.status().state, together.status().completed) == ("done", FILES)
        assert together.verify().same == FILES
        ledger = sandbox.ledger()
        assert len(ledger["files"]) == FILES
        assert all((told["starts"], told["completed"]) == (1, 1) for told in ledger["files"].values())
        by = [job["by"] for job in ledger["jobs"]]
        assert 0 < by.count("client") < len(by), "both accounts worked"
    with capsys.disabled():
        print(f"{FILES} files in {PARTS} parts of two accounts, each once; {killed} kills, {tries} tries")  # noqa: T201
    assert killed > 0
    assert tries > PARTS


def mapped(tmp_path: Path, sandbox: cavatica.Sandbox, split: cavatica.Split, parts: list[str]) -> tuple[int, int]:
    """Run the parts as mapped tasks. Answer how often something was killed, and how many tries it took."""
    accounts = {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps(
            {"conn_type": "generic", "host": sandbox.endpoint, "password": token}
        )
        for name, token in sandbox.accounts.items()
    }
    home = tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags" / "cohort.py").write_text(DAG)
    airflow = Airflow(home, {**os.environ, **accounts, "PARTS": split.folder, "APPROVED": split.fingerprint})
    airflow.command("db", "migrate")
    airflow.command("dags", "reserialize")
    until, chance, killed = time.monotonic() + LONGEST, random.Random(1), 0
    with airflow.daemon("api-server", "--host", "127.0.0.1", "--port", str(airflow.port), "--workers", "1"):
        while not airflow.answers():
            assert time.monotonic() < until, (home / "api-server.log").read_text()
            time.sleep(0.5)
        with airflow.daemon("scheduler"):
            airflow.command("dags", "trigger", "cohort", "--run-id", "one")
            state = "queued"
            while state not in ("success", "failed"):
                assert time.monotonic() < until, (home / "scheduler.log").read_text()[-10_000:]
                time.sleep(chance.uniform(0.5, 2))
                if killed < KILLS and kill_somebody(parts, chance):
                    killed += 1
                [(state,)] = airflow.ask("SELECT state FROM dag_run WHERE run_id = 'one'")
    tries = airflow.ask("SELECT map_index, state, try_number FROM task_instance WHERE run_id = 'one'")
    assert state == "success", (tries, (home / "scheduler.log").read_text()[-10_000:])
    assert sorted(index for index, _, _ in tries) == list(range(PARTS))
    return killed, sum(number for _, _, number in tries)
