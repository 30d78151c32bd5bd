"""A fixture for programs that talk to the platform, there wherever this package is installed."""

from __future__ import annotations

from typing import Iterator

import pytest

from cavatica import Sandbox


@pytest.fixture
def cavatica_sandbox() -> Iterator[Sandbox]:
    """Run a `cavatica.Sandbox`, a fresh world for each test."""
    with Sandbox() as sandbox:
        yield sandbox
