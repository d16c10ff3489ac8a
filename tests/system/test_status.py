"""What the running collector tells over its control socket: the figures of this moment, a quarantine and its end."""

import json
import os
import signal
import socket
import subprocess

from harness.wait import eventually

PLUGINS = """
[plugins.test_serial]
interval = "200ms"
timeout = "200ms"
[plugins.sysstat]
interval = "1s"
"""


def status(collector):
    done = collector.command("status", "--json")
    assert done.returncode in (0, 1, 3), done.stderr
    return done.returncode, json.loads(done.stdout)


def plugin(collector, name):
    return next(entry for entry in status(collector)[1]["report"]["plugins"] if entry["plugin"] == name)


def listed_state(collector, name):
    return next(entry["state"] for entry in json.loads(collector.command("plugin", "list", "--json").stdout) if entry["id"] == name)


def start(make_collector, **options):
    collector = make_collector(PLUGINS, collector_config=f'output = "{options.pop("output", "/dev/null")}"', **options)
    collector.start()
    eventually(lambda: status(collector)[0] == 0 and plugin(collector, "test_serial")["runs"] > 2, 30, "runs in the status")
    return collector


def test_the_figures_are_those_of_this_moment(make_collector):
    collector = start(make_collector)
    code, told = status(collector)
    assert code == 0 and told["live"] and told["healthy"] and told["pid"] == collector.process.pid
    before = plugin(collector, "test_serial")
    assert before["pid"] == collector.worker_pid("test_serial") and before["isolation"] == "process"
    after = eventually(lambda: (now := plugin(collector, "test_serial"))["runs"] > before["runs"] and now, 10, "more runs")
    assert after["max_duration_ms"] >= after["last_duration_ms"] and after["total_duration_ms"] >= before["total_duration_ms"]
    text = collector.command("status").stdout
    assert "running as process" in text and "test_serial" in text and "not running" not in text

    collector.stop()
    code, told = status(collector)
    assert code == 3 and not told["live"] and told["pid"] is None
    assert not os.path.exists(os.path.join(collector.state_dir, "control.sock"))


def test_a_killed_collector_leaves_a_socket_that_is_no_obstacle(make_collector):
    collector = start(make_collector)
    collector.kill()
    assert os.path.exists(os.path.join(collector.state_dir, "control.sock"))
    assert status(collector)[0] == 3
    collector.start()
    eventually(lambda: status(collector)[0] == 0, 30, "the next collector answers")


def test_a_quarantine_is_told_and_released(make_collector, folder):
    output = os.path.join(folder, "documents")
    collector = start(make_collector, output=output)
    for _ in range(5):
        victim = eventually(lambda: collector.worker_pid("test_serial"), 40, "a worker")
        os.kill(victim, signal.SIGSEGV)
        eventually(lambda: collector.worker_pid("test_serial") != victim, 10, "its end")
    code, told = eventually(lambda: (seen := status(collector))[0] == 1 and seen, 10, "an unhealthy collector")
    assert any("test_serial is quarantined" in problem for problem in told["problems"]), told["problems"]
    health = plugin(collector, "test_serial")
    assert health["state"] == "quarantined" and health["quarantines"] == 1 and health["faults"] == 5 and health["quarantined_until"]
    assert "plugin release test_serial" in collector.command("status").stdout
    assert listed_state(collector, "test_serial") == "quarantined" and listed_state(collector, "sysstat") == "enabled"
    # Its neighbour goes on, and the hole is a document at once, not after a minute.
    runs = plugin(collector, "sysstat")["runs"]
    eventually(lambda: plugin(collector, "sysstat")["runs"] > runs, 10, "the neighbour runs")

    def reported(state):
        with open(output) as lines:
            reports = [document for document in map(json.loads, lines) if document["type"] == "collector"]
        return any(entry["plugin"] == "test_serial" and entry["state"] == state for report in reports for entry in report["plugins"])

    eventually(lambda: reported("quarantined"), 10, "a report of the quarantine")

    # A restart is no way out; the operator's word is.
    collector.stop()
    collector.start()
    eventually(lambda: status(collector)[0] == 1 and plugin(collector, "test_serial")["state"] == "quarantined", 30, "quarantined again")
    unknown = collector.command("plugin", "release", "nosuch")
    assert unknown.returncode == 1 and "HINT" in unknown.stderr
    done = collector.command("plugin", "release", "test_serial", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["released"] is True, done.stderr
    eventually(lambda: status(collector)[0] == 0 and plugin(collector, "test_serial")["runs"] > 0, 30, "it runs again")
    again = collector.command("plugin", "release", "test_serial")
    assert again.returncode == 1 and "not quarantined" in again.stderr


def test_release_without_a_collector_holds_at_the_next_start(make_collector):
    collector = start(make_collector)
    for _ in range(5):
        victim = eventually(lambda: collector.worker_pid("test_serial"), 40, "a worker")
        os.kill(victim, signal.SIGSEGV)
        eventually(lambda: collector.worker_pid("test_serial") != victim, 10, "its end")
    eventually(lambda: plugin(collector, "test_serial")["state"] == "quarantined", 10, "the quarantine")
    collector.kill()
    assert listed_state(collector, "test_serial") == "quarantined"  # so says the record that it left
    assert collector.command("plugin", "release", "test_serial").returncode == 0
    assert listed_state(collector, "test_serial") == "enabled"
    assert collector.command("plugin", "release", "test_serial").returncode == 1
    collector.start()
    eventually(lambda: status(collector)[0] == 0 and plugin(collector, "test_serial")["runs"] > 0, 30, "it runs")


def test_others_are_not_answered(make_collector, folder):
    if os.geteuid() != 0:
        return
    collector = start(make_collector, output=os.devnull)
    path = os.path.join(collector.state_dir, "control.sock")
    os.chmod(collector.state_dir, 0o755)
    refused = collector.command("status", wrapper=("runuser", "-u", "postgres", "--"))
    assert refused.returncode != 0
    os.chmod(path, 0o666)  # even if somebody opened the file: the kernel says who asks
    ask = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(4096).decode())"  # turned away unheard
    told = subprocess.run(["runuser", "-u", "postgres", "--", "python3", "-c", ask, path], stdout=subprocess.PIPE, text=True, timeout=30)
    assert json.loads(told.stdout)["error"]["code"] == "control.denied"


def test_a_crowd_of_silent_clients_costs_no_tick(make_collector):
    collector = start(make_collector)
    before = plugin(collector, "sysstat")
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(16)]
    for client in crowd:
        client.connect(os.path.join(collector.state_dir, "control.sock"))
        client.sendall(b'{"command":')
    code, told = status(collector)
    assert code == 1 and "too many" in told["problems"][0]
    eventually(lambda: status(collector)[0] == 0, 20, "room again: they are given up by themselves")
    after = plugin(collector, "sysstat")
    for client in crowd:
        client.close()
    assert after["skipped_ticks"] == before["skipped_ticks"] and after["runs"] > before["runs"], (before, after)
