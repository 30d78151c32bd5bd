from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cavatica
import pytest


def test_it_serves_ones_own_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "ü.txt").write_text("hello")
    with cavatica.Sandbox(project_from=source, data=tmp_path / "world") as sandbox:
        transfer = cavatica.plan(
            tmp_path / "t.transfer", project=sandbox.project, volume=sandbox.volumes[0], mode="move", api=sandbox
        )
        assert transfer.run(yes=True, poll=0.05).completed == 1
        assert sandbox.data == tmp_path / "world"
    assert (tmp_path / "world/volumes/sandbox/output/deep/ü.txt").read_text() == "hello"
    assert (source / "deep" / "ü.txt").exists(), "nobody's own files are touched"


def test_it_speaks_tls(tmp_path: Path) -> None:
    with cavatica.Sandbox(tls=True) as sandbox:
        assert sandbox.endpoint.startswith("https://")
        assert sandbox.ca_cert is not None
        assert sandbox.ledger()["starts"] == 0
        planned = cavatica.plan(
            tmp_path / "t", project=sandbox.project, volume="sandbox/output", mode="copy", api=sandbox
        )
        assert planned.plan is not None
        assert planned.plan.files > 0


def test_a_scenario_is_a_mapping(tmp_path: Path) -> None:
    scenario = {"projects": [{"id": "lab/p", "files": [{"path": "a.bin", "size": 10}]}], "volumes": [{"id": "lab/v"}]}
    with cavatica.Sandbox(scenario=scenario, rate_limit=(500, 10), job_duration=(0.01, 0.02), seed=3) as sandbox:
        assert (sandbox.project, sandbox.volumes) == ("lab/p", ("lab/v",))
        transfer = cavatica.plan(
            tmp_path / "t.transfer",
            project="lab/p",
            volume="lab/v",
            mode="move",
            token=sandbox.token,
            endpoint=sandbox.url,
        )
        assert transfer.run(yes=True, poll=0.05).completed == 1


def test_what_it_refuses_is_told() -> None:
    with pytest.raises(cavatica.CavaticaError, match="scenario"), cavatica.Sandbox(scenario={"nonsense": 1}):
        pass
    stopped = cavatica.Sandbox()
    stopped.stop()
    assert repr(stopped) == "<Sandbox stopped>"


def test_python_dash_m_is_the_program() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "cavatica", "explain", "9107", "--json"], stdout=subprocess.PIPE, check=True
    )
    assert json.loads(said.stdout)["code"] == 9107


def test_another_version_of_the_json_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "cavatica"
    program.write_text('#!/bin/sh\nprintf \'{"version":2,"transfer":"t"}\\n\'\n')
    program.chmod(0o755)
    monkeypatch.setenv("CAVATICA_BIN", str(program))
    with pytest.raises(cavatica.CavaticaError, match="version 2 of its JSON, and this package knows 1") as refused:
        cavatica.Transfer.open("t")
    assert refused.value.hint
    program.write_text("#!/bin/sh\necho hello\n")
    with pytest.raises(cavatica.CavaticaError, match="other than JSON"):
        cavatica.Transfer.open("t")
