#!/usr/bin/env python3
"""Memory, CPU and traffic of a collector that watches one PostgreSQL with all four plugins at their default intervals.

    tests/bench/footprint.py BUILD_DIR [SECONDS]

Reference: a `sleep` process, measured beside it, for what any process costs on this machine.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from harness.collector import Collector  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.wait import eventually  # noqa: E402


def memory_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        text = rollup.read()
    return tuple(int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M).group(1)) for name in ("Rss", "Pss"))


def cpu_seconds(pid):
    """Time on a processor of all threads, in nanoseconds' resolution (kernel doc, scheduler/sched-stats)."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as schedstat:
            total += int(schedstat.read().split()[0])
    return total / 1e9


def report(pids, before, minutes, reference):
    print(f"{'process':18} {'RSS KiB':>9} {'PSS KiB':>9} {'CPU s/min':>10}")
    totals = [0, 0, 0.0]
    for name, pid in pids.items():
        rss, pss = memory_kib(pid)
        cpu = (cpu_seconds(pid) - before[name]) / minutes
        totals = [totals[0] + rss, totals[1] + pss, totals[2] + cpu]
        print(f"{name:18} {rss:9} {pss:9} {cpu:10.3f}")
    print(f"{'all':18} {totals[0]:9} {totals[1]:9} {totals[2]:10.3f}")
    print("{:18} {:9} {:9} {:10.3f}".format("reference: sleep", *memory_kib(reference.pid), 0))


def main():
    binaries = os.path.abspath(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 120
    folder = tempfile.mkdtemp(prefix="pga-bench-", dir="/tmp")
    os.chmod(folder, 0o755)
    postgres = Postgres()
    postgres.sql("do $$ begin for i in 1..100 loop execute format('create table t%s (id int primary key, v text)', i); end loop; end $$")
    server = Server(binaries, folder)
    server.start()
    collector = Collector(
        binaries, folder,
        f"""
[plugins.pg_stats]
enabled = true
conninfo = "{postgres.conninfo()}"
[plugins.sysstat]
enabled = true
[plugins.disk]
enabled = true
[plugins.logs]
enabled = true
paths = ["{postgres.log_dir}/*.log"]
""",
        server=server)
    collector.register()
    reference = subprocess.Popen(["sleep", str(seconds + 300)])
    try:
        collector.start()
        pids = {"pganalytics": collector.process.pid}
        for plugin in ("pg_stats", "sysstat", "disk", "logs"):
            pids[f"worker {plugin}"] = eventually(lambda plugin=plugin: collector.worker_pid(plugin), 30, f"worker of {plugin}")
        eventually(lambda: len({row["type"] for row in server.metrics(collector.id)} & {"pg_stats", "sysstat", "disk"}) == 3, 90, "documents")
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        started = time.monotonic()
        time.sleep(seconds)
        report(pids, before, (time.monotonic() - started) / 60, reference)
        rows = [row["document"] for row in server.metrics(collector.id, "collector")]
        delivery = rows[0]["delivery"]
        print(f"{delivery['pushed_batches']} pushes, {delivery['pushed_bytes'] / delivery['pushed_batches']:.0f} bytes each on average, compressed")
        collector.stop()
    finally:
        reference.kill()
        reference.wait()
        collector.close()
        server.close()
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
