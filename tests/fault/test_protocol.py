"""A plugin writes to the worker's socket itself: whatever it says there, the host believes none of it."""

import pytest

from cell import Row, judge, parametrize, run_rows

BROKE = r"plugin fault_protocol: its worker broke the protocol"
ROWS = [
    Row("fault_protocol", "garbage", BROKE),
    Row("fault_protocol", "partial", BROKE),
    Row("fault_protocol", "half_a_header", r"plugin fault_protocol: its worker did not answer in time and was killed"),
    Row("fault_protocol", "oversize", BROKE),
    Row("fault_protocol", "largest", r"plugin fault_protocol: its worker broke the protocol: a frame of \d+ bytes is too long"),
    Row("fault_protocol", "host_frame", BROKE),
    Row("fault_protocol", "second_hello", BROKE),
    Row("fault_protocol", "forged_document", r"plugin fault_protocol: a document's .type. is not .fault_protocol."),
    Row("fault_protocol", "other_runs_document", BROKE + ": a document outside its run"),
    Row("fault_protocol", "too_many_documents", BROKE + ": more than its worker should have let pass"),
    Row("fault_protocol", "unasked_pongs", BROKE),
    Row("fault_protocol", "ask_without_reading", r"plugin fault_protocol: its worker ", interval_s=8),
    Row("fault_protocol", "send_descriptors", BROKE),
    Row("fault_protocol", "close_socket", r"plugin fault_protocol: its worker "),
    Row("fault_protocol", "shut_socket", r"plugin fault_protocol: its worker "),
    Row("fault_protocol", "close_descriptors", r"plugin fault_protocol: its worker "),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
