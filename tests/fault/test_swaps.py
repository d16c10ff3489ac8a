"""The plugin's file or folder becomes another while the collector runs: nothing is loaded that was not judged."""

import os
import shutil
import signal

import pytest

from cell import PLUGINS, Cell, Row, eventually


@pytest.fixture
def cell():
    """fault_lies, whose folder is its own, and the neighbour."""
    made = Cell(Row("fault_lies", "time_goes_back"), own_folder=True)
    made.collector.start()
    eventually(lambda: any(document["type"] == "fault_lies" for document in made.documents()), 30, "both plugins run")
    yield made
    made.close()


def replace(cell, plugin):
    """As a package does it: the new file is moved over the old one."""
    fresh = os.path.join(cell.folder, "fresh")
    shutil.copy(os.path.join(PLUGINS, plugin + ".so"), fresh)
    os.rename(fresh, os.path.join(cell.own_folder, "fault_lies.so"))


def end_worker(cell):
    os.kill(eventually(lambda: cell.collector.worker_pid("fault_lies"), 30, "its worker"), signal.SIGKILL)


def test_a_new_build_waits_for_the_reload(cell):
    worker = cell.collector.worker_pid("fault_lies")
    replace(cell, "fault_lies_fixed")
    before = cell.ticks()
    eventually(lambda: cell.ticks() >= before + 2, 30, "the neighbour goes on")
    assert cell.collector.worker_pid("fault_lies") == worker, "the file alone changes nothing"
    end_worker(cell)
    eventually(lambda: "fault_lies.so is another build than the one that was read" in cell.collector.log(), 30, "the log says why")
    assert "HINT" in cell.collector.log().rpartition("another build")[2]
    assert cell.collector.worker_pid("fault_lies") is None
    cell.collector.process.send_signal(signal.SIGHUP)
    eventually(lambda: any(document.get("text") == "fixed" for document in cell.documents()), 30, "the new build runs")
    cell.no_tick_is_missing()


def test_a_folder_that_was_opened_to_all(cell):
    os.chmod(cell.own_folder, 0o777)
    replace(cell, "fault_constructor_canary")
    end_worker(cell)
    eventually(lambda: f"{cell.own_folder} can be written by others than its owner" in cell.collector.log(), 30, "the log says why")
    before = cell.ticks()
    eventually(lambda: cell.ticks() >= before + 3, 30, "the neighbour goes on, and the other is tried again")
    assert "CANARY" not in cell.collector.log(), "the new file's code ran"
    os.chmod(cell.own_folder, 0o755)
    replace(cell, "fault_lies")
    documents = len(cell.documents())
    eventually(lambda: any(document["type"] == "fault_lies" for document in cell.documents()[documents:]), 90, "closed again, with its old build, it runs")
    cell.no_tick_is_missing()


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_that_became_a_link(cell, mode):
    elsewhere = os.path.join(cell.folder, "elsewhere")
    os.mkdir(elsewhere)
    os.chmod(elsewhere, mode)
    shutil.copy(os.path.join(PLUGINS, "fault_constructor_canary.so"), os.path.join(elsewhere, "fault_lies.so"))
    os.rename(cell.own_folder, cell.own_folder + ".aside")
    os.symlink(elsewhere, cell.own_folder)
    end_worker(cell)
    says = "another build" if mode == 0o755 else f"{elsewhere} can be written by others than its owner"
    eventually(lambda: says in cell.collector.log(), 30, "the log says why")
    before = cell.ticks()
    eventually(lambda: cell.ticks() >= before + 3, 30, "the neighbour goes on, and the other is tried again")
    assert "CANARY" not in cell.collector.log(), "the other folder's code ran"
    cell.no_tick_is_missing()


def test_a_file_that_was_taken_away(cell):
    os.unlink(os.path.join(cell.own_folder, "fault_lies.so"))
    end_worker(cell)
    eventually(lambda: "fault_lies.so: No such file or directory" in cell.collector.log(), 30, "the log says why")
    before = cell.ticks()
    eventually(lambda: cell.ticks() >= before + 3, 30, "the neighbour goes on")
    cell.no_tick_is_missing()
