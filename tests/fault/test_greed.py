"""A plugin takes more than its share of the machine: memory, processes, threads, descriptors, time."""

import pytest

from cell import Row, judge, parametrize, run_rows

REFUSED = r"plugin fault_greed: unable to {}: (Operation not permitted|Permission denied)"
ROWS = [
    Row("fault_greed", "leak", r"plugin fault_greed: (unable to take more memory than \d+ MiB|.*memory)", awaits="the sandbox"),
    Row("fault_greed", "share_memory", r"plugin fault_greed: .*memory", awaits="the sandbox"),
    Row("fault_greed", "fill_memfd", r"plugin fault_greed: .*memory", awaits="the sandbox"),
    Row("fault_greed", "fork_bomb", REFUSED.format("start a process"), awaits="the sandbox"),
    Row("fault_greed", "daemonise", REFUSED.format("start a process"), awaits="the sandbox"),
    Row("fault_greed", "threads", r"plugin fault_greed: (unable to start more threads than \d+: Resource temporarily unavailable|.*threads)", awaits="the sandbox"),
    Row("fault_greed", "descriptors", r"plugin fault_greed: unable to have more descriptors than \d+: Too many open files", awaits="the sandbox"),
    Row("fault_greed", "sockets", r"plugin fault_greed: unable to open another socket: (Too many open files|Operation not permitted)", awaits="the sandbox"),
    Row("fault_greed", "queue_descriptors", r"plugin fault_greed: unable to (put more descriptors in flight|open another socket): ", awaits="the sandbox"),
    Row("fault_greed", "raise_limits", REFUSED.format("raise a limit"), awaits="the sandbox"),
    Row("fault_greed", "real_time", REFUSED.format("run before the others"), awaits="the sandbox"),
    Row("fault_greed", "lock_memory", REFUSED.format("lock memory"), awaits="the sandbox"),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
