#!/usr/bin/env python3
"""What pg_stats costs, us and the server, beside the least that reading the same rows costs.

    tests/bench/pg_stats.py BUILD_DIR [S | L] [CYCLES]

S: 1 database with 100 tables. L: 20 databases with 500 tables and 2 indexes on each, 1,000 statements. 50 idle sessions in both.
Reference: `floor` (floor.c), which sends the very statements of a cycle with PQexec() and throws the rows away, on sessions that it
keeps as we do. All families are read in each cycle. CPU is time on a processor of the collector with its worker, and of the
server's processes of our sessions; figures are medians of a cycle.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from footprint import cpu_seconds  # noqa: E402
from harness.collector import Collector  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.wait import eventually  # noqa: E402

INTERVAL_S = 5
SIZES = {"S": (1, 100, 100), "L": (20, 500, 1000)}  # databases, tables in each, statements


def different(number):
    """Operators that no other number has: pg_stat_statements takes no account of constants and names."""
    return " ".join(f"{'+' if number >> bit & 1 else '-'} 1" for bit in range(10))


def fill(postgres, databases, tables, statements):
    postgres.sql("create role monitor login in role pg_monitor")
    postgres.sql("create extension pg_stat_statements")
    names = [f"bench_{i}" for i in range(databases)]
    for name in names:
        postgres.sql(f"create database {name}")
        for first in range(0, tables, 100):  # a transaction of its own: locks have a table of bounded size
            postgres.sql("do $$ begin for i in %d..%d loop"
                         " execute format('create table t%%s (id int primary key, a int, b text)', i); execute format('create index on t%%s (a)', i);"
                         " execute format('insert into t%%s select g, g, g from generate_series(1, 10) g', i); end loop; end $$" % (first, first + 99), name)
    for first in range(0, statements, 100):
        postgres.sql("; ".join(f"select 1 {different(i)}" for i in range(first, first + 100)), names[0])
    return names


def rss_peak_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def backends(postgres, application):
    return [int(pid) for pid in postgres.sql(f"select pid from pg_stat_activity where application_name like '{application}%'").split()]


def statements_of_a_cycle(postgres, run):
    """(database, statement) of all that `run` makes us send."""
    def log(what):
        postgres.sql(f"alter system set log_statement = '{what}'")
        postgres.sql("select pg_reload_conf()")

    log("all")
    for _ in range(3):
        run()
    log("none")
    found = []
    for name in sorted(os.listdir(postgres.log_dir)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(postgres.log_dir, name)) as log:
            for line in log:
                entry = json.loads(line)
                message = entry.get("message", "")
                start = message.find("COPY (")
                if entry.get("user") == "monitor" and start >= 0:
                    found.append((entry["dbname"], message[start + 6:message.rindex(") TO STDOUT")]))
    # A cycle begins with the server's own object; the last whole one counts.
    begins = [i for i, (_, statement) in enumerate(found) if "pg_stats/server " in statement]
    return found[begins[-2]:begins[-1]]


def medians(cycle, cycles, client_pids, server_pids):
    """CPU milliseconds of a cycle: the client's, the server's."""
    clients, servers = [], []
    for _ in range(cycles):
        before = [sum(map(cpu_seconds, client_pids)), sum(map(cpu_seconds, server_pids))]
        cycle()
        clients.append(1000 * (sum(map(cpu_seconds, client_pids)) - before[0]))
        servers.append(1000 * (sum(map(cpu_seconds, server_pids)) - before[1]))
    return statistics.median(clients), statistics.median(servers)


def floor_figures(binaries, folder, postgres, statements, cycles):
    path = os.path.join(folder, "statements")
    with open(path, "w") as file:
        for database, statement in statements:
            file.write(f"{database}\t{' '.join(statement.split())}\n")
    floor = subprocess.Popen([os.path.join(binaries, "bin", "floor"), postgres.conninfo(user="monitor") + " application_name=floor", path],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def cycle():
        floor.stdin.write("\n")
        floor.stdin.flush()
        line = floor.stdout.readline()
        assert line, "floor has ended"
        return line

    rows = cycle().split()[0]
    cycle()
    client, server = medians(cycle, cycles, [floor.pid], backends(postgres, "floor"))
    peak = rss_peak_mib(floor.pid)
    floor.stdin.close()
    floor.wait()
    return client, server, peak, rows


def by_family(documents):
    """What each family costs: wall-clock ms as we see them, and what the server said of one place when it was last measured."""
    readings = {}
    for document in documents:
        for reading in document["readings"]:  # of the last document of a run
            readings.setdefault(reading["family"], []).append(reading)
    print(f"\n{'family':20} {'places':>7} {'rows':>7} {'bytes':>9} {'ms':>8} {'server ms':>10} {'blocks':>7} {'temporary':>10}")
    for family, all_of_it in sorted(readings.items(), key=lambda each: -statistics.median(r["ms"] for r in each[1])):
        last = all_of_it[-1]
        sample = [f"{last['server_ms']:.2f}", last["blocks_hit"] + last["blocks_read"], last["temp_blocks"]] if "server_ms" in last else ["", "", ""]
        print(f"{family:20} {last['places']:7} {last['rows']:7} {last['bytes']:9} {statistics.median(r['ms'] for r in all_of_it):8.1f} "
              f"{sample[0]:>10} {sample[1]:>7} {sample[2]:>10}")


def documents_of(path):
    with open(path) as file:
        return [document for document in map(json.loads, file) if document["type"] == "pg_stats"]


def main():
    binaries, size = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "L"
    cycles = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    folder = tempfile.mkdtemp(prefix="pga-bench-", dir="/tmp")
    os.chmod(folder, 0o755)
    postgres = Postgres({"shared_preload_libraries": "pg_stat_statements", "log_destination": "jsonlog", "max_connections": "120", "autovacuum": "off",
                         "shared_buffers": "256MB"})
    idle = []
    collector = None
    try:
        names = fill(postgres, *SIZES[size])
        for _ in range(50):
            idle.append(subprocess.Popen(["psql", "-X", "-q", "-d", postgres.conninfo()], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
        families = json.loads(subprocess.run([os.path.join(binaries, "bin", "pganalytics"), "plugin", "describe", "pg_stats", "--json"], check=True,
                                             stdout=subprocess.PIPE, text=True).stdout)["config_schema"]["properties"]["families"]["properties"]
        output = os.path.join(folder, "documents.jsonl")
        collector = Collector(binaries, folder, f"""
[plugins.pg_stats]
interval = "{INTERVAL_S}s"
timeout = "{INTERVAL_S}s"
conninfo = "{postgres.conninfo(user="monitor")}"
connections_max = {len(names) + 2}
budget_percent = 100
full_interval = "1h"
[plugins.pg_stats.families]
""" + "".join(f'{name} = {{interval = "1s"}}\n' for name in families), collector_config=f'output = "{output}"')
        collector.start()
        runs = lambda: len({document["timestamp"] for document in documents_of(output)}) if os.path.exists(output) else 0  # noqa: E731

        def cycle():
            seen = runs()
            eventually(lambda: runs() > seen, 60, "a run")

        eventually(lambda: runs() >= 2, 120, "the first runs")
        first_bytes = os.path.getsize(output)
        statements = statements_of_a_cycle(postgres, cycle)
        worker = collector.worker_pid("pg_stats")
        begun = os.path.getsize(output)
        client, server = medians(cycle, cycles, [collector.process.pid, worker], backends(postgres, "pganalytics/"))
        sent = (os.path.getsize(output) - begun) / cycles
        peak = rss_peak_mib(worker)
        collector.stop()
        floor_client, floor_server, floor_peak, rows = floor_figures(binaries, folder, postgres, statements, cycles)
        print(f"{size}: {len(statements)} statements, {rows} rows a cycle; medians of {cycles} cycles")
        print(f"{'':24} {'client CPU ms':>14} {'server CPU ms':>14} {'peak RSS MiB':>13}")
        print(f"{'floor':24} {floor_client:14.1f} {floor_server:14.1f} {floor_peak:13.1f}")
        print(f"{'pg_stats':24} {client:14.1f} {server:14.1f} {peak:13.1f}")
        print(f"{'ratio':24} {client / floor_client:14.2f} {server / floor_server:14.2f}")
        by_family(documents_of(output)[-cycles:])
        print(f"documents: {first_bytes} bytes in the first two runs, {sent:.0f} bytes a run later, uncompressed")
    finally:
        if collector:
            collector.close()
        for each in idle:
            each.kill()
            each.wait()
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
