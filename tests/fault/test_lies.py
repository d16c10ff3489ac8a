"""A plugin answers and emits what the contract does not know: refused by name, or cut to what it does know."""

import pytest

from cell import Row, judge, parametrize, run_rows

ROWS = [
    Row("fault_lies", "nan", r"plugin fault_lies: a document is not a JSON object"),
    Row("fault_lies", "infinite", r"plugin fault_lies: a document is (not a JSON object|malformed)"),
    Row("fault_lies", "not_utf8", r"plugin fault_lies: a document is not a JSON object"),
    Row("fault_lies", "not_utf8_in_words", r"plugin fault_lies: bytes "),
    Row("fault_lies", "deep", r"plugin fault_lies: a document is malformed"),
    Row("fault_lies", "time_goes_back"),
    Row("fault_lies", "no_time", r"plugin fault_lies: a document's \"timestamp\" is no RFC 3339 time"),
    Row("fault_lies", "emit_after_return", r"plugin fault_lies: emit\(\) was called when its run was over", counted=False),
    Row("fault_lies", "positive_status", r"plugin fault_lies: .*status 7"),
    Row("fault_lies", "unknown_status", r"plugin fault_lies: the smallest status there is"),
    Row("fault_lies", "endless_error", r"plugin fault_lies: m{400,480}\b"),
    Row("fault_lies", "error_forever", r"plugin fault_lies: it never works"),
    Row("fault_lies", "fatal_forever", r"plugin fault_lies: this instance is unusable"),
    Row("fault_lies", "null_document", r"plugin fault_lies: a document is not a JSON object"),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
