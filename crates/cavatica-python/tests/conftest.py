"""A project on a sandbox, and transfers to plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator

import cavatica
import pytest

Planner = Callable[..., cavatica.Transfer]

#: What is left out or refused of the sandbox's own project, for transfers that shall end well.
CLEAN = {"alias": "skip", "maybe-archived": "skip", "maybe-public-copy": "skip"}


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test finds an account that it wasn't handed."""
    for name in ("SB_AUTH_TOKEN", "SB_API_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def slow() -> Iterator[cavatica.Sandbox]:
    """A platform whose jobs take longer than any test."""
    with cavatica.Sandbox(job_duration=(600, 600)) as sandbox:
        yield sandbox


@pytest.fixture
def planned(tmp_path: Path, cavatica_sandbox: cavatica.Sandbox) -> Planner:
    """Plan the sandbox's project, with what the test says otherwise."""

    def plan(sandbox: cavatica.Sandbox = cavatica_sandbox, **options: Any) -> cavatica.Transfer:
        options = {
            "project": None if "files" in options else sandbox.project,
            "volume": "sandbox/output",
            "mode": "copy",
            "api": sandbox,
            "on": CLEAN,
            **options,
        }
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.transfer"
        return cavatica.plan(out, **options)

    return plan
