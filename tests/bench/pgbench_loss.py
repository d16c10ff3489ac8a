#!/usr/bin/env python3
"""What pg_stats takes from the work of its server: pgbench's transactions a second with the collector at work and with it stopped.

    tests/bench/pgbench_loss.py BUILD_DIR [S | L] [PAIRS]

The server is the one of pg_stats.py; pg_stats runs every 10 s with its families at their default intervals. Reference: the same
pgbench (one client for each core, all in memory) while collector and worker are held by SIGSTOP. Halves of 20 s, in turns, the order
changing from pair to pair. The median of the pairs' differences, their quartiles, and beside it the share of all processors' time that
collector, worker and their sessions used: what pgbench cannot have had.
"""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from footprint import cpu_seconds  # noqa: E402
from harness.collector import Collector  # noqa: E402
from harness.postgres import Postgres, bin_dir  # noqa: E402
from harness.wait import eventually  # noqa: E402
from pg_stats import SIZES, backends, fill  # noqa: E402

HALF_S = 20
DATABASE = "work"


def pgbench(postgres, *arguments):
    done = subprocess.run([os.path.join(bin_dir(), "pgbench"), *arguments, "-h", postgres.dir, "-U", "postgres", DATABASE], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def transactions_per_second(postgres):
    cores = str(os.cpu_count())
    output = pgbench(postgres, "-n", "-c", cores, "-j", cores, "-T", str(HALF_S), "-M", "prepared")
    return float(re.search(r"^tps = ([0-9.]+)", output, re.M).group(1))


class Ours:
    """Collector, worker and the server's processes of their sessions."""

    def __init__(self, postgres, collector):
        self.clients = [collector.process.pid, collector.worker_pid("pg_stats")]
        self.postgres = postgres

    def hold(self, held):
        for pid in self.clients:
            os.kill(pid, signal.SIGSTOP if held else signal.SIGCONT)

    def cpu_seconds(self):
        return sum(map(cpu_seconds, [*self.clients, *backends(self.postgres, "pganalytics/")]))


def halves(postgres, ours, first_with):
    """(transactions a second with, without, our seconds of a processor in the half with)."""
    figures, used = {}, 0
    try:
        for with_us in (first_with, not first_with):
            ours.hold(not with_us)
            before = ours.cpu_seconds()
            figures[with_us] = transactions_per_second(postgres)
            used += ours.cpu_seconds() - before if with_us else 0
    finally:
        ours.hold(False)
    return figures[True], figures[False], used


def main():
    binaries, size = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "L"
    pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    folder = tempfile.mkdtemp(prefix="pga-bench-", dir="/tmp")
    os.chmod(folder, 0o755)
    postgres = Postgres({"shared_preload_libraries": "pg_stat_statements", "max_connections": "120", "shared_buffers": "512MB"})
    collector = None
    try:
        names = fill(postgres, *SIZES[size])
        postgres.sql(f"create database {DATABASE}")
        pgbench(postgres, "-i", "-q", "-s", "10")
        collector = Collector(binaries, folder, f"""
[plugins.pg_stats]
interval = "10s"
conninfo = "{postgres.conninfo(user="monitor")}"
connections_max = {len(names) + 3}
""", collector_config=f'output = "{folder}/documents.jsonl"')
        collector.start()
        eventually(lambda: os.path.exists(f"{folder}/documents.jsonl"), 120, "the first run")
        # The first readings are full ones; what runs every ten minutes in slices has begun.
        transactions_per_second(postgres)
        ours = Ours(postgres, collector)
        losses, shares = [], []
        for pair in range(pairs):
            with_us, without, used = halves(postgres, ours, pair % 2 == 0)
            losses.append(100 * (1 - with_us / without))
            shares.append(100 * used / (HALF_S * os.cpu_count()))
            print(f"pair {pair + 1}: {with_us:.0f} with, {without:.0f} without; {losses[-1]:+.2f} %, {shares[-1]:.2f} % of the processors", flush=True)
        low, middle, high = statistics.quantiles(losses, n=4)
        print(f"{size}: median loss {middle:.2f} % (quartiles {low:.2f} and {high:.2f}), our share of the processors {statistics.mean(shares):.2f} %")
    finally:
        if collector:
            collector.close()
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
