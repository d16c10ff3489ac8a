"""A plugin misbehaves before anybody asked it to do anything: it is refused, told why, and the others start all the same."""

import pytest

from cell import Row, judge, parametrize, run_rows


def row(plugin, reason, **more):
    return Row(plugin, "nothing", reason, name=plugin.removeprefix("fault_"), counted=False, **more)


ENDED = r"plugin {0}: .*{0}\.so: it ended the worker while being loaded"
ROWS = [
    row("fault_constructor_segv", ENDED.format("fault_constructor_segv")),
    row("fault_constructor_exit", ENDED.format("fault_constructor_exit")),
    row("fault_constructor_hang", r"plugin fault_constructor_hang: .*\.so: it took longer than \d+ ms to load"),
    row("fault_constructor_fork", r""),
    row("fault_entry_segv", ENDED.format("fault_entry_segv")),
    row("fault_entry_exit", ENDED.format("fault_entry_exit")),
    row("fault_entry_hang", r"plugin fault_entry_hang: .*\.so: it took longer than \d+ ms to load"),
    row("fault_entry_fork", r""),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])
