"""Programs that use the official client run beside this package, and on its sandbox, as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import cavatica
import pytest
from conftest import Planner

sevenbridges = pytest.importorskip("sevenbridges")

#: As people write it: bulk starts, then a look at each job until it has ended. It knows nothing of this package.
SCRIPT = """
import time
import sevenbridges as sbg

api = sbg.Api(error_handlers=[sbg.http.error_handlers.rate_limit_sleeper])
volume = api.volumes.get("sandbox/output")
files = [f for f in api.files.query(project="sandbox/demo").all() if not f.is_folder()]
exports = [{"file": f, "volume": volume, "location": "script/" + f.name, "overwrite": False} for f in files]
jobs = api.exports.bulk_submit(exports=exports, copy_only=True)
for job in jobs:
    export = job.resource
    while export.state not in ("COMPLETED", "FAILED"):
        time.sleep(0.05)
        export.reload()
    print(export.state, export.destination.location)
"""


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch) -> Iterator[cavatica.Sandbox]:
    """A sandbox that the client takes for a platform, because it speaks https."""
    with cavatica.Sandbox(tls=True) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield sandbox


def test_a_script_of_somebodys(tmp_path: Path, cavatica_sandbox: cavatica.Sandbox) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    said = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, **cavatica_sandbox.environment()},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert said.stdout == "COMPLETED script/README.txt\n"
    assert (cavatica_sandbox.data / "volumes/sandbox/output/script/README.txt").exists()


def test_an_api_and_its_files_are_taken(planned: Planner, secure: cavatica.Sandbox) -> None:
    api = sevenbridges.Api(url=secure.endpoint, token=secure.token)
    files = [file for file in api.files.query(project=secure.project).all() if not file.is_folder()]
    transfer = planned(api=api, files=files, prefix="api/")
    assert transfer.run(yes=True, poll=0.05).completed == len(files) > 0
    jobs = list(api.exports.query(volume="sandbox/output").all())
    assert {job.destination.location for job in jobs} == {f"api/{file.name}" for file in files}
    job = cavatica.export(files[0], "sandbox/output", "one.txt", mode="copy", wait=True, api=api)
    assert api.exports.get(job.id).state == "COMPLETED"


def test_an_api_with_an_oauth_token_is_refused(planned: Planner, secure: cavatica.Sandbox) -> None:
    api = sevenbridges.Api(url=secure.endpoint, oauth_token="0123456789abcdef")
    with pytest.raises(cavatica.CavaticaError, match="OAuth"):
        planned(api=api)
