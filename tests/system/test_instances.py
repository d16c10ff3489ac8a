"""One plugin, several instances in one collector: each delivers its own, and one whose server is dead delays nobody."""

import json
import os
import signal
import socket

import pytest

from harness.oracle import check_nothing_twice, check_serials
from harness.wait import eventually

SERIALS = """
[plugins.test_serial]
interval = "500ms"
[plugins."test_serial@two"]
interval = "500ms"
"""


def health(collector, name):
    report = json.loads(collector.command("status", "--json").stdout)["report"] or {"plugins": []}
    return {plugin["plugin"]: plugin for plugin in report["plugins"]}[name]


def test_each_instance_numbers_its_own_documents(server, make_collector):
    collector = make_collector(SERIALS, server=server)
    collector.register()
    collector.start()

    def of(instance):
        return [row for row in server.metrics(collector.id, "test_serial") if row["document"]["instance"] == instance]

    def both_reach(count):
        eventually(lambda: min(len(of("")), len(of("two"))) >= count, 60, f"{count} documents of each, see {collector.log_path}")

    both_reach(9)
    # What happens to one is its own affair: the other keeps its worker.
    survivor, victim = collector.worker_pid("test_serial"), collector.worker_pid("test_serial@two")
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: collector.worker_pid("test_serial@two") not in (None, victim), 30, "another worker of the instance")
    assert collector.worker_pid("test_serial") == survivor
    # State is found again by the whole name.
    collector.kill()
    collector.start()
    both_reach(max(len(of("")), len(of("two"))) + 6)
    assert health(collector, "test_serial")["faults"] == 0
    collector.stop()
    check_nothing_twice(server.metrics(collector.id, "test_serial"))
    for instance in ("", "two"):
        assert check_serials(of(instance)) >= 15


@pytest.fixture
def deaf_port():
    """A port on which connections are taken and nobody ever says a word: a host that hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        yield listener.getsockname()[1]


def test_a_dead_server_delays_no_other(postgres, deaf_port, make_collector):
    collector = make_collector(
        f'[plugins.pg_stats]\ninterval = "2s"\nconninfo = "{postgres.conninfo()}"\n'
        f'[plugins."pg_stats@dead"]\ninterval = "2s"\nconninfo = "host=127.0.0.1 port={deaf_port} dbname=postgres user=nobody sslmode=disable"\n',
        collector_config='output = "/dev/null"')
    collector.start()
    eventually(lambda: health(collector, "pg_stats")["runs"] >= 1 and health(collector, "pg_stats@dead")["failed_runs"] >= 1, 60, "a run of each")
    before = health(collector, "pg_stats")
    # Each of its runs takes all its time; meanwhile the other's begin when they are due.
    eventually(lambda: health(collector, "pg_stats@dead")["failed_runs"] >= 3 and health(collector, "pg_stats")["runs"] >= before["runs"] + 3, 90,
               lambda: f"three runs more: {health(collector, 'pg_stats')}, {health(collector, 'pg_stats@dead')}")
    after = health(collector, "pg_stats")
    assert after["skipped_ticks"] == before["skipped_ticks"] and after["failed_runs"] == before["failed_runs"] == 0, (before, after)

    told = collector.command("status")
    assert told.returncode == 1, told.stderr
    notes = {}
    for line in told.stdout.partition("\nplugins\n")[2].splitlines():
        if line.startswith("    "):
            notes[name].append(line.strip())
        else:
            name = line.split()[0]
            notes[name] = []
    assert any(note.startswith("last error: ") for note in notes["pg_stats@dead"]), told.stdout
    assert not any(note.startswith("last error: ") for note in notes["pg_stats"]), told.stdout
    problems = json.loads(collector.command("status", "--json").stdout)["problems"]
    assert len(problems) == 1 and problems[0].startswith("plugin pg_stats@dead failed the last time: "), problems
    collector.stop()
