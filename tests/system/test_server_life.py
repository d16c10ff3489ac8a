"""pganalytics-server starts, stops, survives a kill, and its commands work beside it and without it."""

import os
import subprocess

from harness.server import Server
from harness.wait import eventually


def postgres_pid(server):
    """The private PostgreSQL's postmaster, if it is alive."""
    try:
        with open(os.path.join(server.data_dir, "postgresql", "postmaster.pid")) as pid_file:
            pid = int(pid_file.readline())
        os.kill(pid, 0)
        return pid
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return None


def test_sigterm_ends_it_with_its_postgresql(server):
    pid = postgres_pid(server)
    assert pid
    server.stop()
    assert postgres_pid(server) is None and not os.path.exists(f"/proc/{pid}")


def test_after_sigkill_the_next_one_adopts_the_postgresql(server, make_collector):
    collector = make_collector("", server=server)
    collector.register()
    before = postgres_pid(server)
    server.kill()
    assert postgres_pid(server) == before, "PostgreSQL outlives the server"
    server.start()
    assert postgres_pid(server) == before and "adopting" in server.log()
    assert [row["id"] for row in server.get("/api/v1/collectors")["collectors"]] == [collector.id]
    server.stop()
    assert postgres_pid(server) is None


def test_a_postgresql_that_dies_is_started_again(server):
    pid = postgres_pid(server)
    os.kill(pid, 9)
    eventually(lambda: postgres_pid(server) not in (None, pid), 60, "another PostgreSQL")
    eventually(lambda: server.request("GET", "/api/v1/health").status == 200, 60, "healthy again")


def test_commands_without_a_running_server(binaries, folder):
    server = Server(binaries, folder)
    token = server.cli("token", "create", "--uses", "2", "--ttl", "5m")
    assert token["token"].startswith("pge_") and token["ca_pin"].startswith("sha256:") and token["expires_at"].endswith("Z")
    assert server.cli("collector", "list") == {"collectors": []}
    assert postgres_pid(server) is None, "a command leaves nothing running"


def test_a_second_server_on_the_same_folder_is_refused(server):
    second = subprocess.run([server.binary, "run", "--config", server.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert second.returncode == 75 and "HINT" in second.stderr
    assert server.request("GET", "/api/v1/health").status == 200


def test_mistakes_are_told_and_nothing_starts(binaries, folder):
    server = Server(binaries, folder, extra_config="[limits]\npush_per_secnd = 5")
    done = subprocess.run([server.binary, "run", "--config", server.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert "server.toml:5: limits.push_per_secnd" in done.stderr and "push_per_second" in done.stderr
    assert not os.path.exists(server.data_dir)


def test_configuration_from_the_command_line(server, make_collector):
    collector = make_collector("", server=server)
    collector.register()
    assert server.cli("config", "get", collector.id)["version"] == 0
    path = os.path.join(server.folder, "config.json")
    with open(path, "w") as document:
        document.write('{"intervals": {"pg_logs": "30s"}}')
    stored = server.cli("config", "put", collector.id, path)
    assert stored["version"] == 1 and stored["intervals"] == {"logs": "30s"}
    assert server.cli("config", "get", collector.id) == stored
