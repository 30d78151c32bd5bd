from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cavatica
import pytest
from conftest import Planner


def test_a_transfer_from_plan_to_report(planned: Planner, cavatica_sandbox: cavatica.Sandbox, tmp_path: Path) -> None:
    transfer = planned(label="cohort", prefix="t/")
    assert transfer.plan is not None
    assert (transfer.plan.mode, transfer.plan.volume, transfer.plan.prefix) == ("copy", "sandbox/output", "t/")
    assert transfer.plan.skipped == {"alias": 1, "maybe-archived": 1, "maybe-public-copy": 1}
    assert cavatica_sandbox.ledger()["starts"] == 0, "a plan sends nothing"

    summary = transfer.run(approve=transfer.fingerprint, poll=0.05)
    assert summary.exit_code == 0
    assert summary.completed == transfer.plan.files == cavatica_sandbox.ledger()["starts"]
    assert (summary.label, summary.failures, summary.error) == ("cohort", (), None)

    found = transfer.verify()
    assert found.ok
    assert found.same == summary.completed

    audit = transfer.audit()
    assert audit.agrees
    assert audit.complete
    assert audit.jobs == summary.completed
    assert (audit.exit_code, audit.findings) == (0, ())

    page = transfer.report(tmp_path / "r.html")
    assert isinstance(page, Path)
    assert "<html" in page.read_text()
    assert transfer.report("csv").splitlines()[0].startswith("file_id,name,")
    assert len(list(transfer.rows())) == summary.completed + summary.skipped


def test_an_audit_before_and_beside_another_sender(planned: Planner, cavatica_sandbox: cavatica.Sandbox) -> None:
    transfer = planned(prefix="audited/")
    assert transfer.audit().exit_code == 4
    transfer.run(yes=True, poll=0.05)
    row = next(each for each in transfer.rows() if each["state"] == "completed")
    assert transfer.plan is not None
    location = row["key"][len(transfer.plan.volume_prefix) :]
    again = cavatica.export(
        row["file_id"], "sandbox/output", location, mode="copy", wait=True, overwrite=True, api=cavatica_sandbox
    )
    assert again.exit_code == 0
    found = transfer.audit()
    # A job as young as the plan may have been there before it.
    assert (found.exit_code, found.agrees, found.jobs) in ((3, False, 7), (7, False, 7))
    (finding,) = found.findings
    assert finding.name in ("doubled", "unclear")
    assert found.totals[finding.name] == 1
    assert (finding.file_id, finding.location) == (row["file_id"], location)
    assert finding.name in found._repr_html_()


def test_what_was_run_has_nothing_left_to_do(planned: Planner, cavatica_sandbox: cavatica.Sandbox) -> None:
    transfer = planned()
    transfer.run(yes=True, poll=0.05)
    starts = cavatica_sandbox.ledger()["starts"]
    again = cavatica.Transfer.open(transfer.path, api=cavatica_sandbox).run(yes=True)
    assert again.exit_code == 4
    assert cavatica_sandbox.ledger()["starts"] == starts


def test_files_that_fail_are_a_result(planned: Planner) -> None:
    transfer = planned(on={"alias": "skip"})
    summary = transfer.run(yes=True, poll=0.05)
    assert summary.exit_code == 3
    assert summary.failed == len(summary.failures) == 2
    failure = summary.failures[0]
    assert (failure.state, failure.code) == ("failed", 9006)
    assert failure.advice
    assert transfer.retry(codes=[9006], yes=True, poll=0.05).exit_code == 3
    assert transfer.status().failed == 2


def test_what_ends_a_run_before_its_time_comes_with_the_summary(planned: Planner) -> None:
    with cavatica.Sandbox(quirks=["ignore-copy-only"]) as sandbox:
        summary = planned(sandbox).run(yes=True, poll=0.05)
    assert summary.exit_code == 3
    assert summary.error is not None
    assert "copy_only" in str(summary.error)
    assert summary.completed + summary.failed + summary.unknown + summary.left == 6


@pytest.mark.parametrize("kind", ["frame of pandas", "frame of polars", "ids", "rows", "path"])
def test_files_are_named_by_what_is_at_hand(kind: str, planned: Planner, tmp_path: Path) -> None:
    whole = planned()
    ids = [row["file_id"] for row in whole.rows() if row["state"] == "planned"][:3]
    locations = [f'odd {number}, "ü".bin' for number, _ in enumerate(ids)]
    rows = [{"file_id": file, "location": location} for file, location in zip(ids, locations)]
    if kind == "frame of pandas":
        files: Any = pytest.importorskip("pandas").DataFrame(rows)
    elif kind == "frame of polars":
        files = pytest.importorskip("polars").DataFrame(rows)
    elif kind == "ids":
        files = ids
    elif kind == "rows":
        files = rows
    else:
        files = tmp_path / "files.jsonl"
        files.write_text("".join(json.dumps(row) + "\n" for row in rows))
    transfer = planned(files=files)
    found = list(transfer.rows())
    assert [row["file_id"] for row in found] == ids
    if kind != "ids":
        assert [row["key"] for row in found] == locations


def test_a_report_as_data_frames(planned: Planner) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    transfer = planned()
    planned_only = transfer.to_pandas()
    assert planned_only["started"].isna().all()
    transfer.run(yes=True, poll=0.05)
    frame = transfer.to_pandas()
    assert str(frame["size"].dtype) == "Int64"
    assert isinstance(frame["started"].dropna().iloc[0], pandas.Timestamp)
    assert frame["started"].dropna().iloc[0].tzinfo is not None
    assert set(frame["state"]) == {"completed", "skipped"}
    other = transfer.to_polars()
    assert other.schema["size"] == polars.Int64
    assert other.schema["started"] == polars.Datetime("us", "UTC")
    assert other["file_id"].to_list() == frame["file_id"].to_list()
    assert other["size"].sum() == frame["size"].sum()


def test_all_reasons_come_with_a_refused_plan(planned: Planner) -> None:
    with pytest.raises(cavatica.CavaticaError) as refused:
        planned(on={"alias": "fail"})
    error = refused.value
    assert error.exit_code == 2
    assert [reason.name for reason in error.reasons] == ["alias"]
    assert error.reasons[0].message in str(error)


def test_nothing_runs_without_a_word(planned: Planner, cavatica_sandbox: cavatica.Sandbox) -> None:
    transfer = planned()
    with pytest.raises(cavatica.CavaticaError) as refused:
        transfer.run()
    assert refused.value.exit_code == 2
    assert refused.value.hint
    with pytest.raises(cavatica.CavaticaError):
        transfer.run(approve="0" * 64)
    with pytest.raises(cavatica.CavaticaError, match="expected 'move' or 'copy'"):
        planned(mode="overwrite")
    assert cavatica_sandbox.ledger()["starts"] == 0


def test_events_come_while_it_runs(planned: Planner) -> None:
    events: list[dict[str, Any]] = []
    planned().run(yes=True, poll=0.05, on_event=events.append)
    names = [event["event"] for event in events]
    assert names[0] == "run_began"
    assert "batch_answered" in names
    assert events[-1]["tally"]["completed"]["files"] == 6


def test_a_listener_that_fails_stops_the_run_in_order(planned: Planner, slow: cavatica.Sandbox) -> None:
    transfer = planned(slow)

    def fail(event: Any) -> None:
        raise ValueError(event["event"])

    with pytest.raises(ValueError, match="run_began"):
        transfer.run(yes=True, poll=0.05, on_event=fail)
    assert not (transfer.path.parent / (transfer.path.name + "-journal")).exists(), "nothing runs on"
    transfer.status()


def test_one_export(planned: Planner, cavatica_sandbox: cavatica.Sandbox) -> None:
    file = next(row["file_id"] for row in planned().rows() if row["state"] == "planned")
    job = cavatica.export(file, "sandbox/output", "one.bin", mode="copy", wait=True, api=cavatica_sandbox)
    assert (job.state, job.exit_code) == ("COMPLETED", 0)
    assert job.destination["location"] == "one.bin"
    with pytest.raises(cavatica.CavaticaError) as refused:
        cavatica.export(file, "sandbox/readonly", "one.bin", mode="copy", api=cavatica_sandbox)
    assert [reason.name for reason in refused.value.reasons] == ["volume-read-only"]
    again = cavatica.export(file, "sandbox/output", "one.bin", mode="copy", wait=True, api=cavatica_sandbox)
    assert (again.state, again.exit_code) == ("FAILED", 3)


def test_a_list_is_checked_without_an_account() -> None:
    rows = [{"file_id": "567890abc8a5639cc6722063", "location": "a"}, {"file_id": "", "location": "C:\\a"}]
    findings = cavatica.check(rows)
    assert next((finding.line, finding.severity) for finding in findings) == (2, "error")
    assert cavatica.check(rows[:1]) == []
    with pytest.raises(cavatica.CavaticaError):
        cavatica.check("/nowhere/files.csv")


def test_a_report_overwrites_nothing(planned: Planner, tmp_path: Path) -> None:
    transfer = planned()
    (tmp_path / "r.csv").touch()
    with pytest.raises(cavatica.CavaticaError, match=r"r\.csv"):
        transfer.report(tmp_path / "r.csv")
    with pytest.raises(cavatica.CavaticaError, match="doesn't say by its ending"):
        transfer.report(tmp_path / "r.xlsx")


def test_nothing_is_printed_unasked(planned: Planner, capfd: pytest.CaptureFixture[str]) -> None:
    transfer = planned()
    transfer.run(yes=True, poll=0.05)
    transfer.verify()
    transfer.audit()
    assert capfd.readouterr() == ("", "")


def test_progress_is_shown_where_it_is_asked_for(planned: Planner, capfd: pytest.CaptureFixture[str]) -> None:
    transfer = planned()
    transfer.run(yes=True, poll=0.05, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "6 of 6 files" in err.splitlines()[-1]
