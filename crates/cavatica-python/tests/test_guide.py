"""Every Python block of the guide is run, and its notebook."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import cavatica
import pytest

DOCS = Path(__file__).parents[3] / "docs"


def blocks(page: str) -> list[tuple[int, str]]:
    """The Python blocks of a page, each with the line that it begins on."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)), match.group(1)) for match in found]


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cavatica_sandbox: cavatica.Sandbox) -> None:
    for library in ("pandas", "sevenbridges"):
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    # The guide changes the environment, as its readers would.
    with mock.patch.dict(os.environ):
        for line, block in blocks("python.md"):
            # Lines of a traceback are then those of the page.
            exec(compile(ast.increment_lineno(ast.parse(block), line), "docs/python.md", "exec"), names)
    assert (tmp_path / "calls.html").exists()
    names["test_my_program_exports_once"](cavatica_sandbox)


def test_what_the_guide_names_is_there() -> None:
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    for name in re.findall(r"`cavatica\.(\w+)", text):
        assert hasattr(cavatica, name) or name == "airflow", name
    parts = ("Caution", "Collision", "Disagreement", "Failure", "Reason", "Sample", "find_program")
    for name in cavatica.__all__:
        assert name in parts or name in text, name


def test_the_notebook(tmp_path: Path) -> None:
    pytest.importorskip("nbconvert")
    pytest.importorskip("pandas")
    # It runs where it lies, so it lies where nothing is left behind.
    notebook = shutil.copy(DOCS / "python.ipynb", tmp_path)
    subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", "--execute", notebook], check=True)
    page = (tmp_path / "python.html").read_text(encoding="utf-8")
    assert "planned, to copy" in page
    assert "8 of 8 files" in page
    assert page.count("█" * 30) == 1, "progress has one place"
    assert "9006" in page
    assert "compared with the volume: ok" in page
    assert not re.search("(?i)(traceback|error</)", page.split("<body", 1)[1])
