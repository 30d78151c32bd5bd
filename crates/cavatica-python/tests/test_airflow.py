"""The operator, in an Airflow of its own: `cargo xtask airflow` runs these; elsewhere there is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cavatica
import pytest

pytest.importorskip("airflow.sdk")

from airflow.sdk.exceptions import AirflowException, AirflowFailException
from cavatica.airflow import CavaticaTransferOperator

CLEAN: dict[str, Any] = {"on": {"alias": "skip", "maybe-archived": "skip", "maybe-public-copy": "skip"}}


class Store(dict):  # type: ignore[type-arg]
    """What Airflow remembers of a task over its tries: the part of its accessor that the mixin uses."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch, cavatica_sandbox: cavatica.Sandbox) -> None:
    for name, value in cavatica_sandbox.environment().items():
        monkeypatch.setenv(name, value)


def operator(folder: Path, **options: Any) -> CavaticaTransferOperator:
    options = {
        "task_id": "export",
        "transfer": str(folder / "t.transfer"),
        "project": "sandbox/demo",
        "volume": "sandbox/output",
        "mode": "copy",
        "plan_options": CLEAN,
        "run_options": {"poll": 0.05},
        **options,
    }
    return CavaticaTransferOperator(**options)


def test_the_summary_is_the_result(tmp_path: Path, cavatica_sandbox: cavatica.Sandbox) -> None:
    store = Store()
    result = operator(tmp_path).execute({"task_state_store": store})
    assert (result["completed"], result["left"]) == (6, 0)
    assert store == {"cavatica_transfer": str(tmp_path / "t.transfer")}
    again = operator(tmp_path).execute({"task_state_store": store})
    assert again["completed"] == 6
    assert cavatica_sandbox.ledger()["starts"] == 6


def test_a_try_that_died_before_airflow_knew_sends_nothing_twice(
    tmp_path: Path, cavatica_sandbox: cavatica.Sandbox
) -> None:
    operator(tmp_path).execute({"task_state_store": Store()})
    operator(tmp_path).execute({"task_state_store": Store()})
    assert cavatica_sandbox.ledger()["starts"] == 6


def test_failed_files_fail_the_task_by_choice(tmp_path: Path, cavatica_sandbox: cavatica.Sandbox) -> None:
    store, options = Store(), {"plan_options": {"on": {"alias": "skip"}}}
    with pytest.raises(AirflowFailException, match="2 failed"):
        operator(tmp_path, **options).execute({"task_state_store": store})
    with pytest.raises(AirflowFailException, match="2 failed"):
        operator(tmp_path, **options).execute({"task_state_store": store})
    result = operator(tmp_path, fail_on=(), **options).execute({"task_state_store": store})
    assert (result["failed"], len(result["failures"])) == (2, 2)
    assert cavatica_sandbox.ledger()["starts"] == 6, "no try sent anything twice"


def test_an_interrupted_try_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cavatica.Sandbox(job_duration=(2, 2)) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        store = Store()

        def interrupt(event: Any) -> None:
            if event["event"] == "batch_answered":
                os.kill(os.getpid(), signal.SIGINT)

        first = operator(tmp_path, run_options={"poll": 0.05, "on_event": interrupt})
        with pytest.raises(AirflowException, match="a retry goes on"):
            first.execute({"task_state_store": store})
        result = operator(tmp_path).execute({"task_state_store": store})
        assert result["completed"] == sandbox.ledger()["starts"] == 6


def test_a_plan_that_was_looked_at(tmp_path: Path, cavatica_sandbox: cavatica.Sandbox) -> None:
    planned = cavatica.plan(
        tmp_path / "t.transfer",
        project="sandbox/demo",
        volume="sandbox/output",
        mode="copy",
        api=cavatica_sandbox,
        **CLEAN,
    )
    handed_over = {"mode": None, "project": None, "volume": None, "plan_options": None}
    with pytest.raises(cavatica.CavaticaError, match="fingerprint"):
        operator(tmp_path, approve="0" * 64, **handed_over).execute({"task_state_store": Store()})
    result = operator(tmp_path, approve=planned.fingerprint, **handed_over).execute({"task_state_store": Store()})
    assert result["completed"] == 6


#: A DAG as people write it. Airflow wants its own home before anything of it is imported.
DAG = """
import os
from airflow.sdk import dag, task
from cavatica.airflow import CavaticaTransferOperator

@dag(schedule=None)
def nightly():
    export = CavaticaTransferOperator(
        task_id="export", transfer=os.environ["TRANSFERS"] + "/{{ ts_nodash }}.transfer",
        project="sandbox/demo", volume="sandbox/output", mode="copy", cavatica_conn_id="cavatica",
        plan_options={"on": {"alias": "skip", "maybe-archived": "skip", "maybe-public-copy": "skip"}},
        run_options={"poll": 0.05},
    )

    @task
    def tell(summary):
        print("TOLD", summary["completed"])

    tell(export.output)

nightly()
"""


def test_a_dag(tmp_path: Path, cavatica_sandbox: cavatica.Sandbox) -> None:
    account = {"conn_type": "generic", "host": cavatica_sandbox.endpoint, "password": cavatica_sandbox.token}
    environment = {
        **os.environ,
        "TRANSFERS": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_CAVATICA": json.dumps(account),
    }
    for name in cavatica_sandbox.environment():
        environment.pop(name)
    dags = tmp_path / "airflow" / "dags"
    dags.mkdir(parents=True)
    (dags / "nightly.py").write_text(DAG)
    airflow = str(Path(sys.executable).with_name("airflow"))
    said = ""
    for arguments in (["db", "migrate"], ["dags", "reserialize"], ["dags", "test", "nightly"]):
        done = subprocess.run(
            [airflow, *arguments],
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said += done.stdout
        assert done.returncode == 0, said
    assert "TOLD 6" in said, said
    assert cavatica_sandbox.token not in said
    assert cavatica_sandbox.ledger()["starts"] == 6
