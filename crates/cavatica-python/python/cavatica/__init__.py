"""Moves or copies files from CAVATICA projects to your own S3 bucket, each exactly once.

`plan` makes a `Transfer`; `Transfer.run` sends it, and goes on with it after whatever stopped it. `Sandbox` is the
platform on your own desk. ``docs/python.md`` is the guide.
"""

from cavatica._documents import (
    Audit,
    Caution,
    Collision,
    Disagreement,
    Failure,
    Finding,
    Job,
    Part,
    Plan,
    Sample,
    Split,
    Summary,
    Take,
    Verification,
)
from cavatica._error import CavaticaError, Reason
from cavatica._find import find_program
from cavatica._sandbox import Sandbox
from cavatica._single import check, export
from cavatica._transfer import Transfer, plan

__all__ = [
    "Audit",
    "Caution",
    "CavaticaError",
    "Collision",
    "Disagreement",
    "Failure",
    "Finding",
    "Job",
    "Part",
    "Plan",
    "Reason",
    "Sample",
    "Sandbox",
    "Split",
    "Summary",
    "Take",
    "Transfer",
    "Verification",
    "check",
    "export",
    "find_program",
    "plan",
]
