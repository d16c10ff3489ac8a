"""A revoked collector is out within five seconds: on every server of a database, on connections that are open, and in the middle of a request."""

import json
import os
import shutil
import subprocess
import tempfile
import time

import pytest

from harness.server import Server
from harness.wait import eventually
from site_of_abuse import DOCUMENT, ROOMY
from wire import Connection, request_bytes

PROMISE_S = 5


@pytest.fixture(scope="module")
def second(site):
    """Another server process on the same database, with the same keys and CA, as behind a load balancer."""
    folder = tempfile.mkdtemp(prefix="pga-second-", dir="/tmp")
    os.chmod(folder, 0o755)
    binaries = os.path.dirname(os.path.dirname(site.server.binary))
    server = Server(binaries, folder, f'[database]\nurl = "{site.postgres.conninfo(site.database)}"\n{ROOMY}')
    shutil.copytree(site.server.data_dir, server.data_dir)
    owner = os.stat(site.server.data_dir)
    for name in [server.data_dir, *(os.path.join(server.data_dir, file) for file in os.listdir(server.data_dir))]:
        os.chown(name, owner.st_uid, owner.st_gid)
    server.start()
    yield server
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


def connect(server, own):
    return Connection(server.port, server.ca_file, own.certificate)


def push(connection, own):
    connection.send(request_bytes("POST", "/api/v1/metrics/push", [own.bearer], DOCUMENT))
    return connection.answer()


def revoke(site, own, how):
    if how == "API":
        assert site.with_key("admin", "DELETE", f"/api/v1/collectors/{own.id}").status == 204
    else:
        site.server.cli("collector", "revoke", own.id)


@pytest.mark.parametrize("how", ["API", "command line"])
def test_idle_connections_are_closed_everywhere(site, second, how):
    own = site.enrol("idle")
    connections = [connect(server, own) for server in (site.server, second) for _ in range(3)]
    for connection in connections:
        assert push(connection, own).status == 200
    revoke(site, own, how)
    begin = time.monotonic()
    for connection in connections:
        assert connection.ended(PROMISE_S) and connection.buffer == b""
    took = time.monotonic() - begin
    assert took < PROMISE_S
    print(f"six idle connections on two servers closed {took:.2f} s after the revocation by {how}")


def test_busy_connections_are_refused_everywhere(site, second):
    """Clients that keep talking: the last good answer on either server comes within the promise, and what follows is 403 or the end."""
    own = site.enrol("busy")
    here, there = connect(site.server, own), connect(second, own)
    assert push(here, own).status == push(there, own).status == 200
    revoke(site, own, "API")
    begin = time.monotonic()
    assert push(here, own).status == 403  # where it was revoked, at once
    last_good = None
    try:
        while (answer := push(there, own)).status == 200:
            last_good = time.monotonic() - begin
            assert last_good < PROMISE_S
        assert answer.code == "collector_revoked" and answer.headers["connection"] == "close"
    except OSError:
        pass  # closed between two requests
    for server in (site.server, second):
        with connect(server, own) as fresh:
            assert push(fresh, own).status == 403


def test_nothing_is_stored_after_the_revocation_even_where_it_is_not_known_yet(site, second):
    own = site.enrol("late")
    with connect(second, own) as there:
        assert push(there, own).status == 200
        site.sql(f"update pganalytics.collectors set revoked_at = now() where id = '{own.id}'")
        answer = push(there, own)
        assert answer.status == 403 and answer.code == "collector_revoked"
    assert own.stored() == 1


@pytest.mark.parametrize("server_name", ["here", "there"])
def test_a_request_on_its_way_ends_refused(site, second, server_name):
    """Let in with its header, revoked before its body was whole."""
    own = site.enrol("slow")
    body = json.dumps(DOCUMENT).encode()
    with connect(site.server if server_name == "here" else second, own) as connection:
        data = request_bytes("POST", "/api/v1/metrics/push", [own.bearer, ("Expect", "100-continue")], body)
        connection.send(data[: -len(body)])
        assert connection.answer().status == 100  # let in
        connection.send(body[:-10])
        revoke(site, own, "API")
        connection.send(body[-10:])
        answer = connection.answer()
        assert answer.status == 403 and answer.code == "collector_revoked", answer
        assert connection.ended()
    assert own.stored() == 0


def test_certificates_and_tokens_of_before_are_worth_nothing(site, second):
    own = site.enrol("before")
    answer = site.ask("POST", f"/api/v1/collectors/{own.id}/token", certificate=own.certificate)
    own.token = site.secret(answer.json["token"])
    revoke(site, own, "API")

    def refused(server):
        with connect(server, own) as connection:
            return push(connection, own).status == 403

    eventually(lambda: refused(site.server) and refused(second), 20, "both servers know")
    for server in (site.server, second):
        for method, path, body in (("POST", f"/api/v1/collectors/{own.id}/token", None), ("GET", f"/api/v1/config/{own.id}", None),
                                   ("POST", f"/api/v1/collectors/{own.id}/certificate", {"csr": "x"}), ("POST", "/api/v1/metrics/push", DOCUMENT)):
            with connect(server, own) as connection:
                connection.send(request_bytes(method, path, [own.bearer], body))
                answer = connection.answer()
                assert answer.status == 403 and answer.code == "collector_revoked", (path, answer)


def test_a_revoked_collector_costs_no_query(site):
    """Refused from memory: while the database is locked against its table the answer comes as ever."""
    own = site.enrol("cheap")
    revoke(site, own, "API")
    held = subprocess.Popen(["psql", "-X", "-q", "-d", site.postgres.conninfo(site.database)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, text=True)
    try:
        held.stdin.write("begin; lock table pganalytics.collectors in access exclusive mode;\n")
        held.stdin.flush()
        eventually(lambda: site.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and database = "
                                    "(select oid from pg_database where datname = current_database())") != "0", 20, "the table is locked")
        assert own.push().status == 403  # a query would wait for the lock and end as 503
        assert held.poll() is None
    finally:
        held.stdin.close()  # the session ends, and its lock
        held.wait(20)


def test_it_is_in_the_audit_log_who_revoked_and_from_where(site):
    own = site.enrol("audited")
    revoke(site, own, "API")
    assert own.push().status == 403
    entry = [row for row in site.audit("collector.revoke") if row["subject"] == own.id]
    assert len(entry) == 1 and entry[0]["actor"].startswith("key:admin:") and entry[0]["address"] == "127.0.0.1"
    assert [row["actor"] for row in site.audit("access.revoked") if row["subject"] == own.id] == ["collector:" + own.id]
