"""A plugin does not come back: it is cancelled, aborted, killed."""

import pytest

from cell import Row, judge, parametrize, run_rows

KILLED = r"plugin fault_hang: its worker did not answer in time and was killed"
ROWS = [
    Row("fault_hang", "loop", KILLED),
    Row("fault_hang", "sleep", KILLED),
    Row("fault_hang", "block_signals", KILLED),
    Row("fault_hang", "ignore_signals", KILLED),
    Row("fault_hang", "stop", KILLED),
    Row("fault_hang", "rename", KILLED),
    Row("fault_hang", "sleep", r"plugin fault_hang: its worker did not end in time and was killed", at="destroy"),
    Row("fault_hang", "block_signals", r"plugin fault_hang: its worker did not end in time and was killed", at="destroy"),
    Row("fault_hang", "sleep", KILLED, at="configure", patience_s=60),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
