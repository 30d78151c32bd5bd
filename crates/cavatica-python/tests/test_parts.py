"""A plan in parts, for several accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import cavatica
import pytest
from conftest import Planner


@pytest.fixture
def shared() -> Iterator[cavatica.Sandbox]:
    """A platform with two accounts."""
    with cavatica.Sandbox(account=["colleague"]) as sandbox:
        yield sandbox


def of(account: str, sandbox: cavatica.Sandbox, transfer: str) -> cavatica.Transfer:
    return cavatica.Transfer.open(transfer, token=sandbox.accounts[account], endpoint=sandbox.endpoint)


def test_two_accounts_share_a_plan(planned: Planner, shared: cavatica.Sandbox, tmp_path: Path) -> None:
    transfer = planned(shared)
    split = transfer.split(2, tmp_path / "parts", by="bytes")
    assert (split.transfer, split.folder) == (str(transfer.path), str(tmp_path / "parts"))
    assert transfer.plan is not None
    assert sum(part.files for part in split.parts) == transfer.plan.files
    assert sum(part.bytes for part in split.parts) == transfer.plan.bytes

    whole = transfer.status()
    assert (whole.state, whole.left) == ("split", 0), "its files are counted with its parts"
    with pytest.raises(cavatica.CavaticaError, match="was split into 2 parts"):
        transfer.run(yes=True)

    first = of("sandbox", shared, split.parts[0].transfer)
    second = of("colleague", shared, split.parts[1].transfer)
    found = second.take()
    assert (found.account, found.planned_by, found.taken) == ("colleague", "sandbox", False)
    assert second.take(yes=True).taken
    with pytest.raises(cavatica.CavaticaError) as own:
        second.take(yes=True)
    assert own.value.exit_code == 4
    for part in (first, second):
        assert part.run(approve=split.fingerprint, poll=0.05, share="1/2").exit_code == 0

    together = cavatica.Transfer.open(split.folder, api=shared)
    assert (together.status().state, together.status().completed) == ("done", transfer.plan.files)
    assert together.verify().same == transfer.plan.files
    assert len(list(together.rows())) == transfer.plan.files + sum(transfer.plan.skipped.values())
    ledger = shared.ledger()
    assert ledger["starts"] == len(ledger["files"]) == transfer.plan.files
    by = [job["by"] for job in ledger["jobs"]]
    assert 0 < by.count("client") < len(by), "both accounts worked"


def test_a_plan_is_split_at_once(planned: Planner, cavatica_sandbox: cavatica.Sandbox) -> None:
    transfer = planned(parts=3)
    assert transfer.plan is not None
    assert transfer.plan.split is not None
    assert len(transfer.plan.split.parts) == 3
    one = cavatica.Transfer.open(transfer.plan.split.parts[0].transfer, api=cavatica_sandbox)
    assert one.run(approve=transfer.plan.split.fingerprint, poll=0.05).exit_code == 0
    whole = planned(prefix="other/").plan
    assert whole is not None
    assert whole.split is None


def test_what_was_begun_is_not_split(planned: Planner, tmp_path: Path) -> None:
    transfer = planned()
    with pytest.raises(cavatica.CavaticaError, match="can't be split"):
        transfer.split(99, tmp_path / "parts")
    transfer.run(yes=True, limit=1, poll=0.05)
    with pytest.raises(cavatica.CavaticaError) as begun:
        transfer.split(2, tmp_path / "parts")
    assert begun.value.exit_code == 2
    assert not (tmp_path / "parts").exists()
