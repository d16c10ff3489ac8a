"""A cell: one real collector with a good neighbour and one plugin that misbehaves, and all that can be seen of it from outside.

A Row says what a plugin does and what must be seen. run_rows() lets all rows of a file happen, many at once, because most of their
time is waiting; judge() then holds one row's evidence against what the collector promises for every row.
"""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from harness.collector import Collector
from harness.wait import eventually

BINARIES = os.path.abspath(os.environ.get("PGANALYTICS_BINARY_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "build")))
PLUGINS = os.environ.get("PGANALYTICS_FAULT_PLUGINS", os.path.join(BINARIES, "tests", "fault", "plugins"))
SANITIZED = bool(os.environ.get("PGANALYTICS_SANITIZE"))

INTERVAL_S = 1
COUNTS = ("failed_runs", "faults", "kills", "refused_documents", "dropped_log_lines")
CANARY = "a canary\n"
STOP_S = 15  # what the collector may take to stop, whatever its plugins do
# The host's own memory at its highest. At rest it has about 15 MiB; a run that uses up its 32 MiB of documents needs them twice or
# so on their way to the disk. With sanitizers everything carries red zones, and freed memory is kept for a while.
HOST_MIB = 64 * (4 if SANITIZED else 1)
FULL_RUN_MIB = 128 * (4 if SANITIZED else 1)
HOST_DESCRIPTORS = 40

# Let signals end a process as they do elsewhere; a leak that a killed plugin leaves is not the worker's.
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0:"
                                     "allocator_may_return_null=1:quarantine_size_mb=8:detect_stack_use_after_return=0:detect_leaks=0"}


@dataclass(frozen=True)
class Row:
    """One misbehaviour, and what an operator must be told."""

    plugin: str               # fault_<family>
    do: str
    reason: str = ""          # regular expression: the log says why, in these words; "": nothing is wrong that anybody could see
    at: str = "collect"
    target: str = ""          # what it aims at; "{...}" names a part of the cell
    name: str = ""            # of the row, if "do" alone is not telling
    host_mib: int = HOST_MIB
    patience_s: int = 30      # until the reason is told
    ticks: int = 3            # of the neighbour, after that
    state: str = ""           # regular expression for the plugin's state in `status`
    counted: bool = True      # `status` counts it, or tells it as the last error
    interval_s: int = INTERVAL_S
    awaits: str = ""          # what the product still lacks for it

    def __str__(self):
        return self.name or (self.do if self.at == "collect" else f"{self.do}_in_{self.at}")


@dataclass
class Evidence:
    trouble: list = field(default_factory=list)  # what could not even be observed
    log: str = ""
    documents: list = field(default_factory=list)
    status: dict = field(default_factory=dict)
    host_mib: float = 0
    host_descriptors: int = 0
    stop_s: float = 0
    exit_status: int = None
    plugin_folder_is_one: bool = False
    left_over: list = field(default_factory=list)
    neighbour_pids: set = field(default_factory=set)
    canaries: dict = field(default_factory=dict)  # file: (its content, its mode)
    knocked_at: list = field(default_factory=list)


class Doors:
    """Sockets that somebody who got out would knock at."""

    def __init__(self, folder):
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix_path = os.path.join(folder, "door")
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(self.unix_path)
        self.unix.listen()
        self.tcp_address, self.udp_address = (f"127.0.0.1:{door.getsockname()[1]}" for door in (self.tcp, self.udp))

    def knocked_at(self):
        knocked = []
        for name, door in (("tcp", self.tcp), ("udp", self.udp), ("unix", self.unix)):
            door.setblocking(False)
            try:
                door.recv(1) if door is self.udp else door.accept()[0].close()
                knocked.append(name)
            except BlockingIOError:
                pass
        return knocked

    def close(self):
        for door in (self.tcp, self.udp, self.unix):
            door.close()


class Cell:
    """What a row happens in: a folder, a plugin folder with the two plugins, a collector that writes documents to a file."""

    def __init__(self, row, own_folder=False):
        self.row = row
        self.folder = tempfile.mkdtemp(prefix="pga-fault-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.plugins = os.path.join(self.folder, "plugins")
        os.mkdir(self.plugins, 0o755)
        self.own_folder = os.path.join(self.folder, "own") if own_folder else self.plugins  # of the plugin that misbehaves
        os.makedirs(self.own_folder, mode=0o755, exist_ok=True)
        for plugin, folder in {row.plugin: self.own_folder, "fault_neighbour": self.plugins}.items():
            shutil.copy(os.path.join(PLUGINS, plugin + ".so"), folder)
        self.output = os.path.join(self.folder, "documents.jsonl")
        self.canary = os.path.join(self.folder, "canary")
        with open(self.canary, "w") as canary:
            canary.write(CANARY)
        os.chmod(self.canary, 0o600)
        self.doors = Doors(self.folder)
        self.collector = Collector(BINARIES, self.folder, "", name="cell", plugin_dirs=sorted({self.plugins, self.own_folder}), first_party=False,
                                   environment={"HOME": self.folder, **SANITIZER_OPTIONS})
        os.makedirs(os.path.join(self.collector.state_dir, "identity"), mode=0o700)
        self.key = os.path.join(self.collector.state_dir, "identity", "key.pem")
        with open(self.key, "w") as key:
            key.write(CANARY)
        os.chmod(self.key, 0o600)
        self.spool = os.path.join(self.collector.state_dir, "spool.db")
        self.control = os.path.join(self.collector.state_dir, "control.sock")
        self.configure()

    def configure(self):
        target = self.row.target.format(cell=self)
        self.collector.write_config(
            f'[plugins.fault_neighbour]\ninterval = "{INTERVAL_S}s"\n'
            + (f'[plugins.{self.row.plugin}]\ninterval = "{self.row.interval_s}s"\ntimeout = "{self.row.interval_s}s"\ndo = "{self.row.do}"\nat = "{self.row.at}"\n'
               f'target = "{target}"\n' if self.row.plugin != "fault_neighbour" else ""),
            f'output = "{self.output}"')

    def documents(self):
        if not os.path.exists(self.output):
            return []
        with open(self.output) as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]

    def ticks(self):
        return sum(1 for document in self.documents() if document["type"] == "fault_neighbour")

    def no_tick_is_missing(self):
        check_ticks(self.documents(), f"\n--- log:\n{self.collector.log()[-3000:]}")

    def processes(self):
        """Every process with this cell's HOME: the collector, its workers, and whatever they started, wherever it went."""
        marker = f"HOME={self.folder}".encode()
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/environ", "rb") as environ:
                    if marker not in environ.read().split(b"\0"):
                        continue
                with open(f"/proc/{entry}/stat") as stat:
                    if stat.read().rpartition(")")[2].split()[0] == "Z":
                        continue
                with open(f"/proc/{entry}/cmdline", "rb") as cmdline:
                    found[int(entry)] = cmdline.read().replace(b"\0", b" ").decode(errors="replace").strip()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def peak_mib(self):
        with open(f"/proc/{self.collector.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024

    def status(self):
        """The plugins as the running collector tells them, by id."""
        done = self.collector.command("status", "--json", timeout=30)  # exits with 1 when a plugin is in trouble
        return {plugin["plugin"]: plugin for plugin in json.loads(done.stdout)["report"]["plugins"]}

    def told(self):
        return re.search(self.row.reason, self.collector.log()) is not None

    def close(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.collector.process:
            self.collector.process.wait()
        self.doors.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def observe(cell, evidence):
    """The row happens. What cannot be seen in time is trouble; the rest is seen nevertheless."""
    def seen(probe, seconds, what):
        try:
            return eventually(probe, seconds, what)
        except AssertionError as error:
            evidence.trouble.append(str(error))
        return None

    row, collector = cell.row, cell.collector
    collector.start()
    if seen(lambda: cell.ticks() >= 1, 30, "the neighbour's first tick") is None:
        return
    evidence.neighbour_pids.add(collector.worker_pid("fault_neighbour"))
    if row.at != "destroy":
        seen(cell.told, row.patience_s * (3 if SANITIZED else 1), f"the log says /{row.reason}/")
    before = cell.ticks()
    seen(lambda: cell.ticks() >= before + row.ticks, 3 * row.ticks + 10, f"{row.ticks} more ticks of the neighbour")
    if collector.process.poll() is not None:
        evidence.trouble.append(f"the collector ended with {collector.process.returncode}")
        return
    evidence.neighbour_pids.add(collector.worker_pid("fault_neighbour"))
    evidence.status = cell.status()
    evidence.host_mib = cell.peak_mib()
    evidence.host_descriptors = len(os.listdir(f"/proc/{collector.process.pid}/fd"))


def stop(cell, evidence):
    process = cell.collector.process
    started = time.monotonic()
    process.terminate()
    try:
        evidence.exit_status = process.wait(STOP_S + 10)
    except subprocess.TimeoutExpired:
        evidence.trouble.append(f"the collector still ran {STOP_S + 10} s after SIGTERM")
        return
    evidence.stop_s = time.monotonic() - started
    try:  # what the kernel is still taking down
        eventually(lambda: not cell.processes(), 3, "every process gone")
    except AssertionError:
        evidence.left_over = list(cell.processes().values())


def content_and_mode(path):
    try:
        with open(path) as file:
            return file.read(), stat.S_IMODE(os.stat(path).st_mode)
    except OSError as error:
        return repr(error), 0


def run_row(row, during=observe):
    cell, evidence = Cell(row), Evidence()
    try:
        during(cell, evidence)
        if cell.collector.process and cell.collector.process.poll() is None:
            stop(cell, evidence)
        evidence.log = cell.collector.log()
        evidence.documents = cell.documents()
        evidence.canaries = {path: content_and_mode(path) for path in (cell.canary, cell.key)}
        evidence.knocked_at = cell.doors.knocked_at()
        evidence.plugin_folder_is_one = os.path.isdir(cell.plugins) and not os.path.islink(cell.plugins)
    except Exception as error:  # of this row alone: the others go on
        evidence.trouble.append(repr(error))
    finally:
        cell.close()
    return evidence


def parametrize(rows):
    marks = [pytest.param(row, id=str(row), marks=[pytest.mark.xfail(reason=row.awaits)] if row.awaits else []) for row in rows]
    return pytest.mark.parametrize("row", marks)


def run_rows(rows, at_once=8):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return dict(zip(rows, pool.map(run_row, rows)))


def check_ticks(documents, story=""):
    """The neighbour's runs are numbered without a hole, and their nominal times are an interval apart."""
    good = [document for document in documents if document.get("type") == "fault_neighbour"]
    runs = [document["run"] for document in good]
    assert runs == list(range(1, len(runs) + 1)), f"runs of the neighbour are missing: {runs}" + story
    times = [datetime.fromisoformat(document["timestamp"].replace("Z", "+00:00")) for document in good]
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(times, times[1:])]
    assert len(gaps) > 0 and max(gaps) < 1.5 * INTERVAL_S, f"a tick of the neighbour is missing: {[document['timestamp'] for document in good]}" + story


def judge(row, evidence):
    """What holds for every row."""
    story = f"\n--- log of {row}:\n{evidence.log[-3000:]}"
    assert not evidence.trouble, "; ".join(evidence.trouble) + story
    assert re.search(row.reason, evidence.log), f"the log does not say /{row.reason}/" + story

    assert evidence.exit_status == 0, f"the collector ended with {evidence.exit_status}" + story
    assert evidence.stop_s <= STOP_S, f"the collector took {evidence.stop_s:.1f} s to stop" + story
    assert not evidence.left_over, f"still there: {evidence.left_over}" + story
    assert evidence.host_mib <= row.host_mib, f"the collector's memory reached {evidence.host_mib:.0f} MiB" + story

    assert evidence.host_descriptors <= HOST_DESCRIPTORS, f"the collector has {evidence.host_descriptors} open files" + story

    assert len(evidence.neighbour_pids) == 1 and None not in evidence.neighbour_pids, f"the neighbour's worker changed: {evidence.neighbour_pids}" + story
    check_ticks(evidence.documents, story)

    assert "ESCAPED" not in evidence.log, "it escaped" + story
    assert "ESCAPED" not in json.dumps(evidence.documents), "it escaped" + story
    for path, (content, mode) in evidence.canaries.items():
        assert content == CANARY and mode == 0o600, f"{path} was touched: {content!r}, {mode:o}" + story
    assert not evidence.knocked_at, f"it reached out: {evidence.knocked_at}" + story
    assert evidence.plugin_folder_is_one, "the plugin folder was replaced" + story
    neighbour = evidence.status["fault_neighbour"]
    assert neighbour["skipped_ticks"] == 0 and neighbour["faults"] == 0 and neighbour["failed_runs"] == 0, f"status of the neighbour: {neighbour}" + story
    plugin = evidence.status.get(row.plugin, {})
    if row.reason and row.counted and row.at != "destroy":
        assert plugin["last_error"] or any(plugin[count] for count in COUNTS), f"status tells of no trouble: {plugin}" + story
    if row.state:
        assert re.fullmatch(row.state, plugin["state"]), f"status: {plugin}" + story
