"""The token is handed to the program by its environment, and stands nowhere else."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any

import cavatica
import pytest
from conftest import Planner

SECRET = "0123456789abcdef0123456789abcdef"


class Api:
    """What the official client's `Api` shows of itself."""

    def __init__(self, url: str | None = None, token: str | None = None, oauth_token: str | None = None) -> None:
        self.url, self.token, self.oauth_token = url, token, oauth_token


def shown(error: BaseException) -> str:
    """Everything that a traceback with local variables shows of our own frames."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    frame = error.__traceback__
    ours = str(Path(cavatica.__file__).parent)
    while frame is not None:
        if frame.tb_frame.f_code.co_filename.startswith(ours):
            text += repr(frame.tb_frame.f_locals)
        frame = frame.tb_next
    for cause in (error.__cause__, error.__context__):
        if cause is not None:
            text += shown(cause)
    return text


def refused(**account: Any) -> cavatica.CavaticaError:
    with pytest.raises(cavatica.CavaticaError) as raised:
        cavatica.plan("x.transfer", project="me/p", volume="me/v", mode="copy", **account)
    assert SECRET not in shown(raised.value)
    return raised.value


def test_a_wrong_token_is_a_denial(cavatica_sandbox: cavatica.Sandbox) -> None:
    error = refused(token=SECRET, endpoint=cavatica_sandbox.endpoint)
    assert error.exit_code == 5
    assert error.hint


def test_the_official_clients_api_is_taken(cavatica_sandbox: cavatica.Sandbox, planned: Planner) -> None:
    api = Api(cavatica_sandbox.endpoint, cavatica_sandbox.token)
    assert planned(api=api).run(yes=True, poll=0.05).exit_code == 0


def test_an_oauth_token_is_refused(cavatica_sandbox: cavatica.Sandbox) -> None:
    error = refused(api=Api(cavatica_sandbox.endpoint, oauth_token=SECRET))
    assert "OAuth" in error.message
    assert error.hint
    assert error.exit_code == 2


def test_an_account_is_named_once() -> None:
    assert "leave out" in refused(api=Api("https://example.org/v2", SECRET), token=SECRET).message
    assert "profile" in refused(token=SECRET, profile="cavatica").message
    assert "object" in refused(api=object()).message


def test_a_program_that_cant_be_started_shows_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "cavatica"
    program.write_text("no program")
    monkeypatch.setenv("CAVATICA_BIN", str(program))
    error = refused(token=SECRET)
    assert str(program) in error.message


def test_nothing_that_is_logged_or_shown_holds_the_token(
    cavatica_sandbox: cavatica.Sandbox, planned: Planner, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transfer = planned()
    transfer.run(yes=True, poll=0.05)
    assert caplog.records
    everything = caplog.text + repr(transfer) + repr(vars(transfer)) + repr(cavatica_sandbox) + transfer._repr_html_()
    assert cavatica_sandbox.token not in everything
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(transfer)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_command_line_shows_no_token(slow: cavatica.Sandbox, planned: Planner) -> None:
    transfer = planned(slow)
    seen: list[str] = []

    def look(_event: Any) -> None:
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and process.name != str(os.getpid()):
                try:
                    seen.append((process / "cmdline").read_text())
                except OSError:
                    continue
        raise KeyboardInterrupt

    assert transfer.run(yes=True, poll=0.05, on_event=look).interrupted
    assert any(str(transfer.path) in line for line in seen)
    assert not any(slow.token in line for line in seen)


def test_errors_cross_processes() -> None:
    error = cavatica.CavaticaError("m", exit_code=5, reasons=[cavatica.Reason("n", "m", "r")], hints=["h"])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.exit_code, again.reasons) == (str(error), 5, error.reasons)
