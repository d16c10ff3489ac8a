#!/usr/bin/env python3
"""What a cycle of sysstat and disk costs on a host with 200 processes of PostgreSQL, beside `cat` of the same files.

    tests/bench/sysstat.py BUILD_DIR [CYCLES]

CPU is time on a processor of the two workers, a cycle: each run reads all it ever reads, once a second. Reference: one `cat` of the
files that a cycle reads, in the same seconds: what the kernel takes to write these texts, and a process to be started. Three times: as
packaged, in the sandbox, which refuses I/O and PSS of processes; without it as the server's user, where both are read; and as packaged
with disk asking the server for its directories in each run, which it does every ten minutes by default. PSS is that of the workers
after the last cycle.
"""

import glob
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from footprint import cpu_seconds, memory_kib  # noqa: E402
from harness.collector import Collector  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.wait import eventually  # noqa: E402

PROCESSES = 200  # of PostgreSQL, with those that serve no session
PLUGINS = ("sysstat", "disk")


def session(postgres):
    """An idle session: a client that is no process of its own."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(glob.glob(os.path.join(postgres.dir, ".s.PGSQL.*[0-9]"))[0])
    words = b"user\0postgres\0database\0postgres\0\0"
    connection.sendall(struct.pack("!ii", 8 + len(words), 3 << 16) + words)  # StartupMessage, protocol 3.0
    connection.recv(65536)
    return connection


def processes_of_postgres():
    found = []
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(path) as comm:
                if comm.read() == "postgres\n":
                    found.append(os.path.dirname(path))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def files_of_a_cycle(processes, with_io):
    names = ["stat", "diskstats", "meminfo", "vmstat", "loadavg", "uptime", "pressure/cpu", "pressure/memory", "pressure/io",
             "net/dev", "net/snmp", "net/netstat", "self/mountinfo"]
    files = ["/proc/" + name for name in names] + [folder + "/stat" for folder in processes]
    if with_io:
        files += [folder + "/io" for folder in processes[::6]]  # a sixth of them in each cycle
    return files


def cat_seconds(files):
    before = os.times()
    subprocess.run(["cat", *files], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def cat_ms(files, times=20):
    """os.times() counts in ticks of 10 ms, so of many."""
    return 1000 * sum(cat_seconds(files) for _ in range(times)) / times


def measure(binaries, folder, name, plugin_keys, cycles, with_io, disk_keys=""):
    output = os.path.join(folder, f"{name}.jsonl")
    collector = Collector(binaries, folder, "".join(f'[plugins.{plugin}]\ninterval = "1s"\n{plugin_keys}\n{disk_keys if plugin == "disk" else ""}\n' for plugin in PLUGINS), name=name,
                          collector_config=f'output = "{output}"')
    collector.start()
    try:
        def runs(plugin):
            with open(output) as file:
                return sum(f'"type":"{plugin}"' in line for line in file)

        eventually(lambda: os.path.exists(output) and min(runs(plugin) for plugin in PLUGINS) >= 3, 60, "the first runs")
        workers = {plugin: eventually(lambda plugin=plugin: collector.worker_pid(plugin), 10, "a worker") for plugin in PLUGINS}
        files = files_of_a_cycle(processes_of_postgres(), with_io)
        cost, reference = {plugin: [] for plugin in PLUGINS}, []
        for _ in range(cycles):
            for plugin, pid in workers.items():
                seen, before = runs(plugin), cpu_seconds(pid)
                eventually(lambda plugin=plugin, seen=seen: runs(plugin) > seen, 30, "a run")
                cost[plugin].append(1000 * (cpu_seconds(pid) - before) / (runs(plugin) - seen))
            reference.append(cat_ms(files))
        medians = {plugin: statistics.median(cost[plugin]) for plugin in PLUGINS}
        cat = statistics.median(reference)
        pss = {plugin: memory_kib(pid)[1] / 1024 for plugin, pid in workers.items()}
        print(f"{name:12} {len(processes_of_postgres()):10} {medians['sysstat']:12.2f} {medians['disk']:9.2f} {sum(medians.values()):9.2f} {cat:9.2f} "
              f"{sum(medians.values()) / cat:7.2f} {pss['sysstat']:16.1f} {pss['disk']:13.1f}", flush=True)
    finally:
        collector.close()


def main():
    binaries = os.path.abspath(sys.argv[1])
    cycles = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    folder = tempfile.mkdtemp(prefix="pga-bench-", dir="/tmp")
    os.chmod(folder, 0o755)
    postgres = Postgres({"max_connections": PROCESSES + 20, "autovacuum": "off", "shared_buffers": "256MB"})
    postgres.sql("create role monitor login in role pg_monitor")
    sessions = []
    try:
        with open(os.path.join(postgres.data, "postmaster.pid")) as file:
            postmaster = file.readline().strip()
        with open(f"/proc/{postmaster}/task/{postmaster}/children") as children:
            others = 1 + len(children.read().split())
        sessions += [session(postgres) for _ in range(PROCESSES - others)]
        print(f"{'':12} {'postgres':>10} {'sysstat ms':>12} {'disk ms':>9} {'both ms':>9} {'cat ms':>9} {'ratio':>7} {'sysstat PSS MiB':>16} {'disk PSS MiB':>13}")
        measure(binaries, folder, "as packaged", "", cycles, with_io=False)
        user = 'user = "postgres"\n' if os.getuid() == 0 else ""
        measure(binaries, folder, "no sandbox", f"{user}sandbox = false\n", cycles, with_io=True)
        asking = f'conninfo = "{postgres.conninfo(user="monitor")}"\nserver_interval = "500ms"\n'
        measure(binaries, folder, "asking", "", cycles, with_io=False, disk_keys=asking)
    finally:
        for each in sessions:
            each.close()
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
