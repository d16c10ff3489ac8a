"""A plugin takes more than its share of the machine: memory, processes, threads, descriptors, time."""

import pytest

from cell import Row, judge, parametrize, run_rows

REFUSED = r"plugin fault_greed: unable to {}: (Operation not permitted|Permission denied)"
CEILING = r"plugin fault_greed: its worker held \d+ MiB"
ROWS = [
    Row("fault_greed", "leak", rf"plugin fault_greed: unable to take more memory than \d+ MiB: Cannot allocate memory|{CEILING} of memory", interval_s=8),
    Row("fault_greed", "share_memory", rf"{CEILING} of memory", interval_s=8),
    Row("fault_greed", "fill_memfd", r"plugin fault_greed: unable to (write to|make) a file in memory: "),
    Row("fault_greed", "fork_bomb", REFUSED.format("start a process")),
    Row("fault_greed", "daemonise", REFUSED.format("start a process")),
    Row("fault_greed", "threads", r"plugin fault_greed: (its worker ran \d+ threads, the ceiling is|unable to start more threads than \d+: )", interval_s=8),
    Row("fault_greed", "descriptors", r"plugin fault_greed: unable to have more descriptors than \d+: Too many open files"),
    Row("fault_greed", "sockets", r"plugin fault_greed: unable to open another socket: (Too many open files|Operation not permitted)"),
    Row("fault_greed", "queue_descriptors", r"plugin fault_greed: unable to (put more descriptors in flight|open another socket): "),
    Row("fault_greed", "raise_limits", REFUSED.format("raise a limit")),
    Row("fault_greed", "real_time", REFUSED.format("run before the others")),
    Row("fault_greed", "lock_memory", REFUSED.format("lock memory")),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
