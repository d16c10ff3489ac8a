"""A plugin pours out more than anybody can take: what passes is limited, the rest is dropped and counted, the host stays small."""

import pytest

from cell import FULL_RUN_MIB, Row, judge, parametrize, run_rows

ROWS = [
    Row("fault_flood", "stderr", r"plugin fault_flood: \d+ lines were dropped"),
    Row("fault_flood", "stderr_no_lines", r"plugin fault_flood: its worker did not answer in time and was killed"),
    Row("fault_flood", "log", r"plugin fault_flood: \d+ lines were dropped"),
    Row("fault_flood", "log_huge", r"plugin fault_flood: x{4000,}\.\.\.", counted=False),
    Row("fault_flood", "state", r"plugin fault_flood: state_set refused value \d+ with -9"),
    Row("fault_flood", "state_oddities", r"plugin fault_flood: state_set refused keys and values out of its limits"),
    Row("fault_flood", "questions", r"plugin fault_flood: its worker did not answer in time and was killed"),
    Row("fault_flood", "ask_huge", r"plugin fault_flood: there is no secret of such a name"),
    Row("fault_flood", "documents", r"plugin fault_flood: the run has 10000 documents of \d+ bytes already", host_mib=FULL_RUN_MIB),
    Row("fault_flood", "series", r"plugin fault_flood: the run has \d+ documents of \d+ bytes already", host_mib=FULL_RUN_MIB, interval_s=10),
    Row("fault_flood", "keys", r"plugin fault_flood: a document is malformed: an object has more than \d+ keys"),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
