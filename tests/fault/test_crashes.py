"""A plugin ends its own process: it costs one worker, which comes back."""

import pytest

from cell import Row, judge, parametrize, run_rows

DIED = r"plugin fault_crash: its worker (died of signal|exited)"
ROWS = [
    Row("fault_crash", "segv", r"plugin fault_crash: its worker died of signal 11 \(Segmentation fault\)"),
    Row("fault_crash", "abort", r"plugin fault_crash: its worker died of signal 6 \(Aborted\)"),
    Row("fault_crash", "exit", r"plugin fault_crash: its worker exited with status 0"),
    Row("fault_crash", "_exit", r"plugin fault_crash: its worker exited with status 0"),
    Row("fault_crash", "sigkill", r"plugin fault_crash: its worker died of signal 9 \(Killed\)"),
    Row("fault_crash", "stack_overflow", r"plugin fault_crash: its worker died of signal 11 \(Segmentation fault\)"),
    Row("fault_crash", "corrupt_heap", DIED),
    Row("fault_crash", "munmap", DIED),
    Row("fault_crash", "scribble", DIED),
    Row("fault_crash", "scribble_and_return"),
    Row("fault_crash", "jump_into_data", DIED),
    Row("fault_crash", "segv", r"plugin fault_crash: .*quarantine", name="segv_again_and_again", patience_s=60, state="quarantined"),
    Row("fault_crash", "segv", DIED, at="configure"),
    Row("fault_crash", "segv", DIED + ".* when it was to end", at="destroy"),
    Row("fault_crash", "exit", DIED + ".* when it was to end", at="destroy"),
    Row("fault_crash", "_exit", DIED + ".* when it was to end", at="destroy"),
    Row("fault_throw", "throw", r"plugin fault_throw: .*(an exception of a plugin|exception|signal 6)"),
    Row("fault_throw", "throw_number", r"plugin fault_throw: .*(exception|signal 6)"),
    Row("fault_throw", "throw", r"plugin fault_throw: .*(exception|signal 6)", at="configure"),
    Row("fault_throw", "throw", r"plugin fault_throw: .*(exception|signal 6)", at="destroy"),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
