"""What pganalytics-server tells about itself, and how it obeys: /metrics, health, the log, drain, SIGHUP, systemd's notices."""

import json
import os
import re
import signal
import socket
import ssl
import time
import urllib.error
import urllib.request

import pytest

from harness.server import Server, free_port
from harness.wait import eventually

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
    """One with a metrics listener."""

    def __init__(self, binaries, folder, extra_config=""):
        self.metrics_port = free_port()
        super().__init__(binaries, folder, f'[metrics]\nlisten = "127.0.0.1:{self.metrics_port}"\n{extra_config}')

    def scrape(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            return parse(answer.read().decode())

    def value(self, name, **labels):
        return self.scrape()[0].get((name, frozenset(labels.items())), 0)

    def set_config(self, before, after):
        with open(self.config) as file:
            text = file.read()
        assert before in text
        with open(self.config, "w") as file:
            file.write(text.replace(before, after))
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture
def observed(binaries, folder):
    server = Observed(binaries, folder)
    server.start()
    yield server
    server.close()


def test_metrics_move_by_what_was_asked(observed):
    health = {"route": "/api/v1/health", "status": "200"}
    samples, types = observed.scrape()
    check_histograms(samples, types)
    before = observed.value("pganalytics_server_http_requests_total", **health)
    for _ in range(3):
        assert observed.request("GET", "/api/v1/health").headers["X-Request-Id"]
    assert observed.value("pganalytics_server_http_requests_total", **health) == before + 3
    assert observed.request("GET", "/nowhere/at/all").status == 404
    assert observed.value("pganalytics_server_http_requests_total", route="none", status="404") == 1
    assert observed.request("GET", "/api/v1/collectors/00000000-0000-0000-0000-000000000000").status == 401
    assert observed.value("pganalytics_server_http_requests_total", route="/api/v1/collectors/{id}", status="401") == 1
    assert observed.value("pganalytics_server_refusals_total", reason="credentials") == 1
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{observed.metrics_port}/api/v1/health", timeout=10)


DOCUMENT = {"type": "shop", "timestamp": "2026-02-03T04:05:06Z"}


def member_of(server, make_collector):
    """(certificate, headers) of a collector that is registered."""
    collector = make_collector("", server=server)
    collector.register()
    token = server.request("POST", f"/api/v1/collectors/{collector.id}/token", certificate=collector.certificate).json["token"]
    return collector, {"Authorization": "Bearer " + token, "Content-Type": "application/json"}


def test_metrics_move_by_what_was_pushed(observed, make_collector):
    collector, headers = member_of(observed, make_collector)
    envelope = {"collector_id": collector.id, "hostname": "h", "version": "1", "epoch": "0" * 32, "seq": 1, "metrics": [DOCUMENT, DOCUMENT, {"type": "shop"}]}
    headers["Idempotency-Key"] = "0" * 32 + ".1"
    answers = [observed.request("POST", "/api/v1/metrics/push", envelope, headers, certificate=collector.certificate).json for _ in range(2)]
    assert [answer["duplicate"] for answer in answers] == [False, True]
    samples, _ = observed.scrape()
    pushes = {dict(labels)["result"]: value for (name, labels), value in samples.items() if name == "pganalytics_server_pushes_total"}
    assert pushes == {"stored": 1, "duplicate": 1, "refused": 0, "failed": 0}
    assert samples["pganalytics_server_ingested_documents_total", frozenset()] == 2
    rejected = {dict(labels)["reason"]: value for (name, labels), value in samples.items() if name == "pganalytics_server_rejected_documents_total"}
    assert rejected == {answers[0]["rejected"][0]["code"]: 1}


def test_a_push_in_flight_is_answered_before_the_server_ends(server, make_collector):
    collector, headers = member_of(server, make_collector)
    context = ssl.create_default_context(cafile=server.ca_file)
    context.load_cert_chain(*collector.certificate)
    body = json.dumps(DOCUMENT).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Host": "test", "Content-Length": len(body)}.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as wire:
        wire.sendall(f"POST /api/v1/metrics/push HTTP/1.1\r\n{head}Expect: 100-continue\r\n\r\n".encode())
        assert wire.recv(4096).startswith(b"HTTP/1.1 100 ")
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: "stopping on SIGTERM" in server.log(), 30, "it stops")
        eventually(lambda: not listens(server.port), 30, "nobody else comes in")
        wire.sendall(body)
        answer = wire.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 200 ") and '"status":"success"' in answer and "Connection: close" in answer
    assert server.process.wait(40) == 0
    server.start()
    assert len(server.metrics(collector.id)) == 1, "what was acknowledged is there"


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_list_of_metrics_is_complete(observed):
    page = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "SERVER_METRICS.md")
    with open(page) as file:
        listed = dict(re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", file.read(), re.MULTILINE))
    assert listed == observed.scrape()[1]


def test_health_tells_the_truth_about_the_database(binaries, folder, postgres):
    postgres.sql("create database pga")
    server = Observed(binaries, folder, f'[database]\nurl = "{postgres.conninfo("pga")}"')
    server.start()
    try:
        server.key("viewer")  # while it can be made
        assert server.request("GET", "/api/v1/health").json == {"status": "ok"}, "strangers get no more"
        assert server.request("GET", "/api/v1/health/details").status == 401
        assert server.get("/api/v1/health/details")["database"] == "ok"
        postgres.sql("alter database pga set default_transaction_read_only = on")
        postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'pga'")

        def reasons():
            return [reason["code"] for reason in server.request("GET", "/api/v1/health/details", role="viewer").json.get("reasons", [])]

        eventually(lambda: reasons() == ["database_read_only"], 30, "read-only is told")
        assert server.request("GET", "/api/v1/health").status == 503
        assert server.scrape(), "numbers are told without the database"
    finally:
        server.close()


def test_health_tells_of_a_full_disk_and_sighup_changes_limits(observed):
    assert observed.request("GET", "/api/v1/health").status == 200
    observed.set_config("[metrics]", '[health]\ndisk_free = "1024GiB"\n[limits]\nread_per_second = 1\nread_burst = 2\n[metrics]')
    eventually(lambda: "read again and are in force" in observed.log(), 30, "the settings are read again")
    statuses = [observed.request("GET", "/api/v1/collectors", role="viewer").status for _ in range(8)]
    assert 429 in statuses, "the new limit holds"
    observed.set_config("read_burst = 2", "read_burst = 200\nread_per_secnd = 5")
    eventually(lambda: "those in force stay" in observed.log() and "limits.read_per_secnd" in observed.log(), 30, "the mistake is told")
    observed.set_config("read_per_secnd = 5", "drain = \"3s\"")
    eventually(lambda: "not in force before a restart: limits.drain" in observed.log(), 30, "what needs a restart is told by name")
    assert observed.process.poll() is None


def test_requests_as_json_lines_without_secrets(binaries, folder):
    server = Server(binaries, folder, 'log_format = "json"\nlog_requests = true')
    server.start()
    try:
        key = server.key("viewer")
        answer = server.request("GET", "/api/v1/collectors?secret=hunter2", role="viewer")
        lines = [json.loads(line) for line in server.log().splitlines()]
        mine = [line for line in lines if line.get("request_id") == answer.headers["X-Request-Id"]]
        assert len(mine) == 1
        line = mine[0]
        assert (line["route"], line["status"], line["method"], line["level"]) == ("/api/v1/collectors", 200, "GET", "INFO")
        assert line["took_us"] > 0 and line["collector"] == "none"
        assert key not in server.log() and "hunter2" not in server.log()
    finally:
        server.close()


def test_sigterm_is_obeyed_while_points_are_rolled_up(binaries, folder, postgres):
    postgres.sql("create database pga")
    server = Server(binaries, folder, f'[database]\nurl = "{postgres.conninfo("pga")}"')
    server.start()
    try:
        postgres.sql("create or replace function pganalytics.roll_up(budget_ms integer) returns boolean language sql as 'select pg_sleep(50) is null'", "pga")
        rolling = "select count(*) from pg_stat_activity where query like '%pganalytics-server:rollup */%' and state = 'active' and pid <> pg_backend_pid()"
        eventually(lambda: postgres.sql(rolling).strip() == "1", 60, "it rolls up")
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 10, "a roll-up of 50 s does not hold it"
        eventually(lambda: postgres.sql(rolling).strip() == "0", 30, "the statement was cancelled")
    finally:
        server.close()


def test_statements_that_take_long_are_told_by_name(binaries, folder, postgres):
    postgres.sql("create database pga")
    server = Server(binaries, folder, f'[database]\nurl = "{postgres.conninfo("pga")}"\nslow_query = "500ms"')
    server.start()
    try:
        postgres.sql("create or replace function pganalytics.roll_up(budget_ms integer) returns boolean language sql as 'select pg_sleep(1) is null'", "pga")
        eventually(lambda: re.search(r"slow statement statement=rollup ms=\d{4} rows=1", server.log()), 60, "the slow statement is told")
    finally:
        server.close()


def test_the_service_manager_is_told(binaries, folder):
    path = os.path.join(folder, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(path)
        os.chmod(path, 0o777)
        notices.settimeout(60)

        def next_with(word):
            while True:
                lines = notices.recv(4096).decode().splitlines()
                if word in lines:
                    return lines

        server = Server(binaries, folder)
        server.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000"}
        server.start()
        try:
            assert any(line.startswith("STATUS=") for line in next_with("READY=1"))
            next_with("WATCHDOG=1")
            server.process.send_signal(signal.SIGHUP)
            assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in next_with("RELOADING=1"))
            next_with("READY=1")
            server.process.send_signal(signal.SIGTERM)
            next_with("STOPPING=1")
        finally:
            server.close()
