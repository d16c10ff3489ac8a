"""What pganalytics-server tells about itself, and how it obeys: /metrics, health, the log, drain, SIGHUP, systemd's notices."""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import urllib.error
import urllib.request

import pytest

from conftest import BINARIES
from harness.postgres import Postgres
from harness.pusher import PLUGIN, Pusher
from harness.server import Server, free_port
from harness.wait import eventually

SOURCES = os.path.join(os.path.dirname(__file__), "..", "..")
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,|(?=\})))*)\})? ([0-9.e+-]+)')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"')


def parse(text):
    """The exposition format, strictly: {(name, labels): value}, {family: type}. Each family once, with HELP and TYPE before its samples."""
    assert text.endswith("\n")
    samples, types, family = {}, {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            assert family not in types and line.split(" ", 3)[3]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and kind in ("counter", "gauge", "histogram")
            assert (kind == "counter") == name.endswith("_total"), name
            types[name] = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            name, labels, value = found.groups()
            base = re.sub("_(bucket|sum|count)$", "", name) if types[family] == "histogram" else name
            assert base == family, f"{line} stands below {family}"
            key = (name, frozenset(LABEL.findall(labels or "")))
            assert key not in samples, line
            samples[key] = float(value)
    return samples, types


def check_histograms(samples, types):
    for family in (name for name, kind in types.items() if kind == "histogram"):
        series = {labels for name, labels in samples if name == family + "_count"}
        for labels in series:
            buckets = sorted((float(dict(key)["le"]), value) for (name, key), value in samples.items()
                             if name == family + "_bucket" and key - {("le", dict(key)["le"])} == labels)
            values = [value for _, value in buckets]
            assert values == sorted(values) and buckets[-1] == (float("inf"), samples[family + "_count", labels])


class Observed(Server):
    """One with a metrics listener and JSON lines in its log."""

    def __init__(self, folder, extra_config=""):
        self.metrics_port = free_port()
        super().__init__(os.path.abspath(BINARIES), folder, f"""log_format = "json"
log_requests = true
[metrics]
listen = "127.0.0.1:{self.metrics_port}"
{extra_config}""")
    def lines(self):
        """Each line of the log, as programs read it."""
        return [json.loads(line) for line in self.log().splitlines()]

    def scrape(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            return parse(answer.read().decode())

    def value(self, name, **labels):
        return self.scrape()[0].get((name, frozenset(labels.items())), 0)

    def values(self, name, label):
        return {dict(labels)[label]: value for (found, labels), value in self.scrape()[0].items() if found == name}

    def health(self):
        """What strangers are told: (status, code of the error or None)."""
        answer = self.request("GET", "/api/v1/health")
        return answer.status, answer.json.get("error", {}).get("code")

    def reasons(self):
        """Why it is ill, as a viewer is told; the key was made while it could be."""
        return [reason["code"] for reason in self.request("GET", "/api/v1/health/details", role="viewer").json.get("reasons", [])]

    def set_config(self, before, after, what_is_told):
        """SIGHUP with another file, until that is told behind it."""
        with open(self.config) as file:
            text = file.read()
        assert before in text
        with open(self.config, "w") as file:
            file.write(text.replace(before, after))
        told = self.log().count(what_is_told)
        self.process.send_signal(signal.SIGHUP)
        eventually(lambda: self.log().count(what_is_told) > told, 30, what_is_told)


IN_FORCE = "read again and are in force"


@pytest.fixture(scope="module")
def place():
    path = tempfile.mkdtemp(prefix="pga-system-", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def folder_in(place, name):
    path = os.path.join(place, name)
    os.mkdir(path, 0o755)
    return path


@pytest.fixture(scope="module")
def database():
    """A PostgreSQL that the tests may stop, if they start it again."""
    server = Postgres()
    server.sql("create database pga")
    yield server
    server.close()


@pytest.fixture(scope="module")
def observed(place, database):
    """On that PostgreSQL; each test leaves it as it was, but for what it counted."""
    server = Observed(folder_in(place, "observed"), f"""[database]
url = "{database.conninfo("pga")}"
slow_query = "500ms"
[limits]
read_burst = 2000
[health]
disk_free = "1MiB"
""")
    server.start()
    server.key("viewer")
    server.key("admin")
    yield server
    server.close()


class ServiceManager(threading.Thread):
    """systemd's end of $NOTIFY_SOCKET: reads whatever it is told."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.path, self.notices = os.path.join(folder, "notify"), []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.start()

    def run(self):
        while True:
            self.notices.append(self.socket.recv(4096).decode().splitlines())

    def wait_for(self, word, since=0):
        """Where a notice with that word stands, and its lines."""
        return eventually(lambda: [(i, notice) for i, notice in enumerate(self.notices) if i >= since and word in notice], 60, word)[0]


@pytest.fixture(scope="module")
def private_one(place):
    server = Observed(folder_in(place, "private"), '[limits]\ndrain = "20s"\n')
    server.manager = ServiceManager(server.folder)
    server.environment = {"NOTIFY_SOCKET": server.manager.path, "WATCHDOG_USEC": "3000000"}
    yield server
    server.close()


@pytest.fixture
def private(private_one):
    """With a PostgreSQL of its own; runs, whatever a test before did to it."""
    if private_one.process is None or private_one.process.poll() is not None:
        private_one.start()
    return private_one


@pytest.fixture(scope="module")
def pusher(observed):
    return Pusher([observed])


def envelope(pusher, seq, documents, **more):
    return {"collector_id": pusher.id, "hostname": "h", "version": "1", "epoch": pusher.epoch, "seq": seq, "metrics": documents, **more}


def push(pusher, server, seq, documents, **more):
    return pusher.ask(server, "POST", "/api/v1/metrics/push", envelope(pusher, seq, documents, **more), {"Idempotency-Key": f"{pusher.epoch}.{seq}"})


DOCUMENT = {"type": "shop", "timestamp": "2026-02-03T04:05:06Z"}


def test_metrics_move_by_what_was_asked(observed):
    requests = "pganalytics_server_http_requests_total"
    samples, types = observed.scrape()
    check_histograms(samples, types)
    before = observed.value(requests, route="/api/v1/health", status="200")
    for _ in range(3):
        assert observed.request("GET", "/api/v1/health").headers["X-Request-Id"]
    assert observed.value(requests, route="/api/v1/health", status="200") == before + 3
    before = observed.value("pganalytics_server_refusals_total", reason="credentials")
    assert observed.request("GET", "/nowhere/at/all").status == 404
    assert observed.value(requests, route="none", status="404") == 1
    assert observed.request("GET", "/api/v1/collectors/00000000-0000-0000-0000-000000000000").status == 401
    assert observed.value(requests, route="/api/v1/collectors/{id}", status="401") == 1
    assert observed.value("pganalytics_server_refusals_total", reason="credentials") == before + 1
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{observed.metrics_port}/api/v1/health", timeout=10)


def test_metrics_move_by_what_was_pushed(observed, pusher):
    answers = [push(pusher, observed, 1, [DOCUMENT, DOCUMENT, {"type": "shop"}]).json for _ in range(2)]
    assert [answer["duplicate"] for answer in answers] == [False, True]
    assert observed.values("pganalytics_server_pushes_total", "result") == {"stored": 1, "duplicate": 1, "refused": 0, "failed": 0}
    assert observed.value("pganalytics_server_ingested_documents_total") == 2
    assert observed.values("pganalytics_server_rejected_documents_total", "reason") == {answers[0]["rejected"][0]["code"]: 1}


def test_the_list_of_metrics_is_complete(private):
    with open(os.path.join(SOURCES, "docs", "SERVER_METRICS.md")) as file:
        listed = dict(re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", file.read(), re.MULTILINE))
    assert listed == private.scrape()[1]


def test_requests_are_told_without_secrets(observed):
    key = observed.key("viewer")
    answer = observed.request("GET", "/api/v1/collectors?secret=hunter2", role="viewer")
    mine = [line for line in observed.lines() if line.get("request_id") == answer.headers["X-Request-Id"]]
    assert len(mine) == 1
    line = mine[0]
    assert (line["route"], line["status"], line["method"], line["level"]) == ("/api/v1/collectors", 200, "GET", "INFO")
    assert line["took_us"] > 0 and line["collector"] == "none"
    assert key not in observed.log() and "hunter2" not in observed.log()


def test_health_tells_the_truth_about_the_database(observed, database):
    assert observed.request("GET", "/api/v1/health").json == {"status": "ok"}, "strangers get no more"
    assert observed.request("GET", "/api/v1/health/details").status == 401
    assert observed.get("/api/v1/health/details")["database"] == "ok"
    database.stop()
    try:
        eventually(lambda: observed.health() == (503, "database_unavailable"), 30, "the database is missed")
        assert int(observed.request("GET", "/api/v1/health").headers["Retry-After"]) >= 1
        assert observed.request("GET", "/api/v1/health/details", role="viewer").status == 503
        assert observed.scrape(), "numbers are told without the database"
    finally:
        database.start()
    eventually(lambda: observed.health() == (200, None), 30, "the database is back")
    database.sql("alter database pga set default_transaction_read_only = on")
    database.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'pga'")
    eventually(lambda: observed.reasons() == ["database_read_only"], 30, "read-only is told")
    assert observed.health() == (503, "database_unavailable")
    database.sql("alter database pga reset default_transaction_read_only")
    eventually(lambda: observed.health() == (200, None) and observed.reasons() == [], 30, "it may be written to again")


def test_health_tells_of_documents_that_wait_and_of_a_disk_that_fills(observed, database, pusher):
    unknown = "f" * 64
    answer = push(pusher, observed, 2, [{"type": PLUGIN, "timestamp": "2026-02-03T04:05:06Z", "serial": 2}], schemas={PLUGIN: unknown})
    assert answer.status == 200 and answer.json["schemas_wanted"], answer.text
    observed.set_config('disk_free = "1MiB"', 'disk_free = "1048576GiB"\ningest_lag = "10m"', IN_FORCE)
    database.sql("update pganalytics.unread_documents set received_at = now() - interval '11 minutes'", "pga")
    eventually(lambda: observed.reasons() == ["ingest_lag", "disk_nearly_full"], 30, "both are told")
    assert observed.health() == (503, "unhealthy")
    details = observed.request("GET", "/api/v1/health/details", role="viewer").json
    assert details["status"] == "unhealthy" and details["database"] == "ok" and details["unread_documents"] == 1 and details["oldest_unread_seconds"] >= 660
    assert observed.value("pganalytics_server_unread_documents") == 1
    observed.set_config('disk_free = "1048576GiB"\ningest_lag = "10m"', 'disk_free = "1MiB"\ningest_lag = "1d"', IN_FORCE)
    eventually(lambda: observed.health() == (200, None), 30, "it is well again")


def test_sighup_changes_limits_and_a_wrong_file_changes_nothing(observed):
    observed.set_config("read_burst = 2000", "read_per_second = 1\nread_burst = 2", IN_FORCE)
    assert 429 in [observed.request("GET", "/api/v1/collectors", role="admin").status for _ in range(8)], "the new limit holds"
    observed.set_config("read_burst = 2", "read_burst = 2000\nread_per_secnd = 5", "those in force stay")
    assert "limits.read_per_secnd" in observed.log(), "the mistake is told by its key"
    assert 429 in [observed.request("GET", "/api/v1/collectors", role="admin").status for _ in range(8)], "the limit before still holds"
    observed.set_config("read_per_second = 1\nread_burst = 2000\nread_per_secnd = 5", 'read_burst = 2000\ndrain = "3s"', "not in force before a restart: limits.drain")
    assert observed.process.poll() is None


def test_statements_that_take_long_are_told_by_name(observed, database):
    def slow():
        return [line for line in observed.lines() if line["message"] == "slow statement"]

    before, counted = len(slow()), observed.value("pganalytics_server_slow_statements_total")
    with concurrent.futures.ThreadPoolExecutor() as others:
        holder = others.submit(database.sql, "lock table pganalytics.collectors; select pg_sleep(1.5)", "pga")
        held = "select count(*) from pg_locks where relation = 'pganalytics.collectors'::regclass and mode = 'AccessExclusiveLock' and granted"
        eventually(lambda: database.sql(held, "pga") == "1", 30, "the table is locked")
        assert observed.request("GET", "/api/v1/collectors", role="viewer").status == 200
        holder.result()
    line = eventually(lambda: slow()[before:], 30, "it is told")[0]
    assert line["level"] == "WARN" and line["ms"] >= 500 and line["rows"] >= 0
    assert os.path.exists(os.path.join(SOURCES, "core", "server", "store", "queries", line["statement"] + ".sql"))
    assert observed.value("pganalytics_server_slow_statements_total") > counted


def test_a_private_postgresql_that_ends_is_started_again_and_counted(private):
    restarts = private.value("pganalytics_server_private_postgresql_restarts_total")
    with open(os.path.join(private.data_dir, "postgresql", "postmaster.pid")) as file:
        os.kill(int(file.readline()), signal.SIGKILL)
    eventually(lambda: private.value("pganalytics_server_private_postgresql_restarts_total") == restarts + 1, 60, "it was started again")
    eventually(lambda: private.health() == (200, None), 30, "it serves")


def test_the_service_manager_is_told(private):
    ready, lines = private.manager.wait_for("READY=1")
    assert any(line.startswith("STATUS=") for line in lines)
    private.manager.wait_for("WATCHDOG=1", ready)
    private.process.send_signal(signal.SIGHUP)
    reloading, lines = private.manager.wait_for("RELOADING=1", ready)
    assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in lines)
    private.manager.wait_for("READY=1", reloading)


class Upload:
    """A push whose head was let in and whose body has not come yet."""

    def __init__(self, server):
        pusher = Pusher([server])
        context = ssl.create_default_context(cafile=server.ca_file)
        context.load_cert_chain(*pusher.certificate)
        self.collector_id, self.body = pusher.id, json.dumps(DOCUMENT).encode()
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.wire = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.wire.sendall(f"POST /api/v1/metrics/push HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {pusher.token}\r\nContent-Type: application/json\r\n"
                          f"Content-Length: {len(self.body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert self.wire.recv(4096).startswith(b"HTTP/1.1 100 ")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def terminate(server):
    """The first SIGTERM; returns when nobody else comes in."""
    told = len(server.manager.notices)
    server.process.send_signal(signal.SIGTERM)
    server.manager.wait_for("STOPPING=1", told)
    eventually(lambda: not listens(server.port), 30, "nobody else comes in")


def test_a_push_in_flight_is_answered_before_the_server_ends(private):
    upload = Upload(private)
    with upload.wire as wire:
        terminate(private)
        wire.sendall(upload.body)
        answer = wire.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 200 ") and '"status":"success"' in answer and "Connection: close" in answer
    assert private.process.wait(40) == 0
    private.start()
    assert len(private.metrics(upload.collector_id)) == 1, "what was acknowledged is there"


def test_a_second_sigterm_waits_for_nobody(private):
    with Upload(private).wire as wire:
        terminate(private)
        private.process.send_signal(signal.SIGTERM)
        assert wire.recv(4096) == b"", "closed without an answer"
    assert private.process.wait(40) == 0
    assert "stopping at once" in private.log() and "whose requests did not finish" not in private.log(), "it did not wait for the time of drain"


def test_sigterm_is_obeyed_while_points_are_rolled_up(place, database):
    database.sql("create database rolling")
    server = Observed(folder_in(place, "rolling"), f'[database]\nurl = "{database.conninfo("rolling")}"')
    server.cli("migrate")
    try:
        database.sql("create or replace function pganalytics.roll_up(budget_ms integer) returns boolean language sql as 'select pg_sleep(50) is null'", "rolling")
        server.start()
        rolling = "select count(*) from pg_stat_activity where query like '%pganalytics-server:rollup */%' and state = 'active' and pid <> pg_backend_pid()"
        eventually(lambda: database.sql(rolling) == "1", 60, "it rolls up")
        server.stop()
        assert database.sql(rolling) == "0" or eventually(lambda: database.sql(rolling) == "0", 5, "the statement was cancelled")
    finally:
        server.close()
