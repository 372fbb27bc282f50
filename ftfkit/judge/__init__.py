"""Rows from anywhere to a verdict, as pure functions; nothing here knows how rows were made."""

from ftfkit.callable_package import answer_calls
from ftfkit.judge.rows import Grid, read_rows
from ftfkit.judge.serialise import verdict_from_dict, verdict_to_dict
from ftfkit.judge.verdict import ADVICE_GATES, Criteria, Readiness, judge_rows

__all__ = [
    "ADVICE_GATES",
    "Criteria",
    "Grid",
    "Readiness",
    "judge_rows",
    "read_rows",
    "verdict_from_dict",
    "verdict_to_dict",
]

answer_calls(__name__)
