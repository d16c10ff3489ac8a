"""A plugin tries to leave its process: other people's files, processes, sockets and programs. The sandbox says no, the plugin says so."""

import os

import pytest

from cell import Cell, Row, eventually, judge, parametrize, run_rows

BOTH = [  # forbidden whatever a plugin declares: "do", what it aims at, in its own words
    ("read", "{cell.key}", "read .*key.pem"),
    ("read", "{cell.spool}", "read .*spool.db"),
    ("read", "{cell.collector.config}", "read .*cell.toml"),
    ("read", "{cell.canary}", "read .*canary"),
    ("read", "/etc/shadow", "read /etc/shadow"),
    ("read_through_proc", "{cell.canary}", r"read /proc/\d+/root/.*canary"),
    ("read_environment", "", r"read /proc/\d+/environ"),
    ("write", "{cell.canary}", "write a file of another"),
    ("write", "{cell.output}", "write a file of another"),
    ("delete", "{cell.canary}", "delete a file of another"),
    ("truncate", "{cell.canary}", "empty a file of another"),
    ("chmod", "{cell.canary}", "open a file of another to all"),
    ("make_files", "", "make a file anywhere"),
    ("swap_folder", "{cell.plugins}", "replace the plugin folder by a link"),
    ("raw_socket", "", "listen to all traffic"),
    ("ptrace", "", "ptrace the host"),
    ("read_memory", "", "read the host's memory"),
    ("steal_descriptor", "", "take a descriptor of the host"),
    ("kill_host", "", "kill the host"),
    ("kill_hosts_group", "", "kill the host's process group"),
    ("kill_by_pidfd", "", "kill the host by pidfd"),
    ("limit_host", "", "limit the host"),
    ("exec_shell", "", "execute a shell"),
    ("spawn_shell", "", "start a shell"),
    ("exec_from_memory", "", "(execute|make) a program (from|in) memory"),
    ("new_namespace", "", "make a namespace"),
    ("mount", "", "mount a file system"),
    ("change_user", "", "become another user"),
    ("set_time", "", "set the clock"),
]
NEEDLESS = [  # allowed to those who declare the need
    ("connect_tcp", "{cell.doors.tcp_address}", "connect out by TCP"),
    ("send_udp", "{cell.doors.udp_address}", "send out by UDP"),
    ("connect_unix", "{cell.doors.unix_path}", "connect to a socket file"),
    ("connect_unix", "{cell.control}", "connect to a socket file"),
    ("listen_tcp", "", "listen on a port"),
]
NO = "(Operation not permitted|Permission denied|Invalid cross-device link|File too large)"


def row(plugin, do, target, words):
    aim = os.path.basename(target.rpartition(".")[2].strip("{}")) if target else ""
    return Row(plugin, do, f"plugin {plugin}: unable to {words}: {NO}", target=target,
               name="_".join(filter(None, [plugin.removeprefix("fault_"), do, aim])))


ROWS = [row("fault_escape", *deed) for deed in BOTH + NEEDLESS] + [row("fault_intruder", *deed) for deed in BOTH] + [
    row("fault_intruder", "ask_collector", "{cell.control}", "ask the collector for anything"),
    Row("fault_escape", "kill_own_group", r"plugin fault_escape: (its worker died of signal 9|unable to kill its own process group)"),
]


@pytest.fixture(scope="module")
def evidence():
    return run_rows(ROWS)


@parametrize(ROWS)
def test_row(evidence, row):
    judge(row, evidence[row])


def test_nothing_outlives_the_host():
    """Killed, the collector cannot stop anybody; a worker that would stay is gone all the same."""
    cell = Cell(Row("fault_escape", "outlive_host", interval_s=5))
    try:
        cell.collector.start()
        eventually(lambda: any(document["type"] == "fault_neighbour" for document in cell.documents()), 30, "the neighbour runs")
        worker = eventually(lambda: cell.collector.worker_pid("fault_escape"), 30, "the plugin's worker")
        cell.collector.kill()
        eventually(lambda: not cell.processes(), 10, f"worker {worker} and all others gone")
    finally:
        cell.close()
