"""``python -m cavatica`` is the program ``cavatica``."""

from __future__ import annotations

import os
import subprocess
import sys

from cavatica._find import find_program


def main() -> int:
    """Run the program in this one's place."""
    command = [find_program(), *sys.argv[1:]]
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606
    return subprocess.run(command, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
