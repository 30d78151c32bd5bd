"""Finds the program that the wheel brought."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path
from typing import Iterator

PROGRAM = "cavatica" + (sysconfig.get_config_var("EXE") or "")


def find_program() -> str:
    """Return the path of the program ``cavatica``.

    The variable ``CAVATICA_BIN`` names it; else it is the one that was installed with this package, or else the one on
    the search path.

    Raises:
        FileNotFoundError: there is none of these.

    """
    named = os.environ.get("CAVATICA_BIN")
    if named:
        return named
    for folder in _script_folders():
        program = Path(folder) / PROGRAM
        if program.is_file():
            return str(program)
    on_path = shutil.which(PROGRAM)
    if on_path is None:
        message = (
            f"the program `{PROGRAM}` isn't where this package was installed, nor on the search path; "
            "install the wheel anew, or name the program in CAVATICA_BIN"
        )
        raise FileNotFoundError(message)
    return on_path


def _script_folders() -> Iterator[str]:
    yield sysconfig.get_path("scripts")
    # `pip install --target DIR` and `--prefix DIR` put scripts beside or above the packages.
    packages = Path(__file__).resolve().parent.parent
    yield str(packages / "bin")
    yield str(packages.parent.parent.parent / "bin")
    scheme = f"{os.name}_user"
    yield sysconfig.get_path("scripts", scheme)
