"""The commands of pganalytics-server as an operator calls them: what they answer, and how they fail."""

import json
import os
import shutil
import subprocess
import tempfile

import pytest

from conftest import BINARIES
from harness.server import Server


@pytest.fixture(scope="module")
def server():
    """One for all tests here: each has collectors of its own."""
    path = tempfile.mkdtemp(prefix="pga-system-", dir="/tmp")
    os.chmod(path, 0o755)
    running = Server(os.path.abspath(BINARIES), path)
    running.start()
    yield running
    running.close()
    shutil.rmtree(path, ignore_errors=True)


def words(server, *arguments):
    """What a person sees: (exit status, stdout, stderr)."""
    done = subprocess.run([server.binary, *arguments, "--config", server.config], capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def lines(server, *arguments):
    status, out, error = words(server, *arguments)
    assert status == 0, error
    return out.splitlines()


def enrol(server, name):
    token = server.cli("token", "create")["token"]
    answer = server.request("POST", "/api/v1/collectors/register", {"name": name, "hostname": name}, {"X-Registration-Secret": token})
    assert answer.status == 201
    return answer.json["id"]


def give(server, path, name, document):
    path.write_text(document)
    path.chmod(0o644)
    return server.cli("config", "put", name, str(path))


def test_a_collector_is_meant_by_name_and_by_the_beginning_of_its_id(server, tmp_path):
    first, second = enrol(server, "db1"), enrol(server, "db2")
    document = tmp_path / "config.json"
    document.write_text(json.dumps({"retention_days": 7}))
    document.chmod(0o644)
    assert server.cli("config", "put", "db1", str(document))["version"] == 1
    assert server.cli("config", "get", first[:13])["retention_days"] == 7
    assert server.cli("config", "get", "db2")["version"] == 0
    assert server.cli("collector", "revoke", "db2") == {"id": second, "revoked": True}


def test_one_collector_is_shown_as_the_api_shows_it(server):
    id_ = enrol(server, "shown")
    assert server.cli("collector", "show", "shown").keys() == server.get(f"/api/v1/collectors/{id_}").keys()
    facts = dict(line.split(None, 1) for line in lines(server, "collector", "show", id_[:13]) if line.startswith(("id", "name", "state")))
    assert facts == {"id": id_, "name": "shown", "state": "ok"}
    status, _, error = words(server, "collector", "show", "nobody")
    assert status == 1 and "HINT: " in error


def test_configurations_have_a_history_and_a_way_back(server, tmp_path):
    enrol(server, "rolled")
    for days in (7, 8):
        give(server, tmp_path / "config.json", "rolled", '{"retention_days": %d}' % days)
    assert server.cli("config", "rollback", "rolled", "--to", "1")["retention_days"] == 7
    history = server.cli("config", "history", "rolled")["versions"]
    assert [(entry["version"], entry["restores"], entry["actor"]) for entry in history] == [(3, 1, "command line"), (2, None, "command line"), (1, None, "command line")]
    assert history[0]["changed"] == ["retention_days"]
    assert server.cli("config", "get", "rolled", "--version", "2")["retention_days"] == 8
    assert server.cli("config", "get", "rolled", "--version", "0")["version"] == 0
    assert [line.split()[0] for line in lines(server, "config", "history", "rolled")] == ["VERSION", "3", "2", "1"]
    for wrong, status in ((["rollback", "rolled", "--to", "9"], 1), (["rollback", "rolled"], 2), (["rollback", "rolled", "--to", "-1"], 2), (["get", "rolled", "--version", "9"], 1)):
        assert words(server, "config", *wrong)[0] == status


def test_the_audit_log_is_asked(server):
    id_ = enrol(server, "audited")
    server.cli("collector", "revoke", "audited")
    found = lines(server, "audit", "list", "--subject", id_)
    assert [line.split()[2] for line in found] == ["collector.enrol", "collector.revoke"]
    assert [line.split()[2] for line in lines(server, "audit", "list", "--subject", id_, "--limit", "1")] == ["collector.revoke"]
    assert len(lines(server, "audit", "list", "--subject", id_, "--limit", "0", "--actor", "command*", "--action", "collector.*")) == 1
    assert lines(server, "audit", "list", "--from", "2100-01-01T00:00:00Z") == []
    status, _, error = words(server, "audit", "list", "--to", "yesterday")
    assert status == 2 and "--to" in error and "HINT: " in error


def test_lists_say_when_keys_and_tokens_were_used(server):
    enrol(server, "used")
    server.get("/api/v1/collectors")
    assert any(key["last_used_at"] for key in server.cli("key", "list")["keys"])
    assert any(token["last_used_at"] for token in server.cli("token", "list")["tokens"])
    assert "LAST USED" in lines(server, "key", "list")[0] and "LAST USED" in lines(server, "token", "list")[0]


def test_a_label_cannot_steer_the_terminal(server):
    server.cli("key", "create", "--role", "viewer", "--label", "\x1b[2Jevil\u202e" + "x" * 100)
    text = words(server, "key", "list")[1]
    assert "\x1b" not in text and "\u202e" not in text and r"\x1b[2Jevil\xe2\x80\xae" in text


def test_what_families_take_on_the_disk(binaries, folder, postgres):
    postgres.sql("create database sizes")
    server = Server(binaries, folder, f'[database]\nurl = "{postgres.conninfo("sizes")}"\n')
    server.start()
    try:
        id_ = enrol(server, "stored")
        postgres.sql("insert into pganalytics.families (plugin, name, is_events, view) values ('acme', 'big', false, 'big'), ('acme', 'small', false, 'small');"
                     f"insert into pganalytics.series (collector_id, family_id, labels, digest) select '{id_}', id, '{{}}', '' from pganalytics.families;"
                     "insert into pganalytics.points select now() - i * interval '1 second', s.id, '{1}' from pganalytics.series s join pganalytics.families f on f.id = s.family_id,"
                     " generate_series(1, case f.view when 'big' then 40000 else 10000 end) i", "sizes")
        big, small = server.cli("storage")["families"]
        assert (big["family"], small["family"], big["series"]) == ("big", "small", 1)
        assert 3.9 < big["point_bytes"] / small["point_bytes"] < 4.1 and big["bytes"] == big["point_bytes"] > 40_000 * 32
        assert [each["size"] for each in server.get("/api/v1/families?sizes=true")["families"]] == [
            {name: value for name, value in each.items() if name not in ("family", "plugin")} for each in (big, small)]
        table = [line.split() for line in lines(server, "storage")]
        assert [row[0] for row in table] == ["FAMILY", "big", "small"]
        assert float(table[1][-1]) == pytest.approx(big["bytes"] / (1 << 20), abs=0.06)
    finally:
        server.close()
