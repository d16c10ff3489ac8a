"""The audit log from the operator's chair: what it shows, and that tampering shows."""

import json
import subprocess

import pytest

from site_of_abuse import new_key, csr_of


def command(site, *arguments):
    return subprocess.run([site.server.binary, "audit", *arguments, "--config", site.server.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def story(make_site):
    """A server where something of everything happened."""
    site = make_site()
    own, other = site.enrol("own"), site.enrol("other")
    assert site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body={"retention_days": 5}).status == 200
    assert site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body={"plugins": {"pg_stats": {"conninfo": "x"}}}).status == 400
    assert own.ask("POST", f"/api/v1/config/{own.id}/status", body={"version": 1, "state": "rejected", "reason": "no"}).status == 204
    assert own.ask("POST", f"/api/v1/collectors/{own.id}/certificate", body={"csr": csr_of(new_key())}).status == 200
    assert own.ask("GET", f"/api/v1/config/{other.id}").status == 403
    copied = site.enrol("copied")
    newer = copied.renewed()
    assert newer.push().status == 200 and [copied.push().code for _ in range(2)] == ["certificate_superseded"] * 2
    assert site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", "pge_no")], {"name": "\x1b[2J", "hostname": "h"}).status == 401
    for _ in range(12):
        assert site.ask("GET", "/api/v1/collectors", [("Authorization", "Bearer no")]).status == 401
    assert site.with_key("admin", "DELETE", f"/api/v1/collectors/{other.id}").status == 204
    assert other.push().status == 403
    site.own, site.other = own, other
    yield site
    site.check_health()
    site.close()


def test_everything_is_there_in_order(story):
    rows = [json.loads(line) for line in command(story, "list", "--json", "--limit", "0").stdout.splitlines()]
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    actions = [row["action"] for row in rows]
    assert set(actions) >= {"token.create", "key.create", "collector.enrol", "config.put", "config.refused", "config.rejected", "collector.renew",
                            "access.other_collector", "collector.enrol_refused", "access.failures", "collector.revoke", "access.revoked", "collector.certificate_superseded"}
    assert actions.count("access.failures") == 1, "a burst is one entry"
    by_action = {row["action"]: row for row in rows}
    assert by_action["collector.revoke"]["subject"] == story.other.id and by_action["collector.revoke"]["actor"].startswith("key:admin:")
    assert by_action["access.other_collector"]["actor"] == "collector:" + story.own.id
    assert actions.count("collector.certificate_superseded") == 1, "told once"
    assert by_action["collector.enrol"]["detail"]["token"].startswith("token:")
    assert by_action["config.put"]["detail"] == {"version": 1}
    assert by_action["token.create"]["actor"] == "command line" and by_action["token.create"]["address"] == ""
    assert all(row["address"] == "127.0.0.1" for row in rows if row["actor"] != "command line")
    text = json.dumps(rows)
    assert not any(secret in text for secret in story.secrets)


def test_the_newest_and_for_people(story):
    lines = command(story, "list", "--limit", "2").stdout.splitlines()
    assert len(lines) == 2 and "access.revoked" in lines[-1]
    assert "\x1b" not in command(story, "list", "--limit", "0").stdout
    assert command(story, "list", "--limit", "-1").returncode == 2


def test_intact(story):
    done = command(story, "verify")
    assert done.returncode == 0 and done.stdout.startswith("intact: ") and "head " in done.stdout


# What somebody with the owner's rights might do, and what verify says
TAMPERING = {
    "a changed actor": ("update pganalytics.audit set actor = 'nobody' where action = 'collector.revoke'", "was changed after it was written"),
    "a changed detail": ("update pganalytics.audit set detail = '{}' where action = 'config.put'", "was changed after it was written"),
    "a changed time": ("update pganalytics.audit set at = at + interval '1 second' where id = 1", "row 1 was changed"),
    "a removed entry": ("delete from pganalytics.audit where action = 'collector.revoke'", "rows between them are gone"),
    "the first one removed": ("delete from pganalytics.audit where id = 1", "row 2 follows row 0"),
    "the newest removed": ("delete from pganalytics.audit where id = (select max(id) from pganalytics.audit)", "is gone: rows at the end were removed"),
    "two swapped": ("update pganalytics.audit set actor = case id when 2 then (select actor from pganalytics.audit where id = 3) else actor end, "
                    "action = case id when 2 then 'x' else action end where id in (2, 3)", "row 2 was changed"),
    "an entry made to fit": ("update pganalytics.audit set actor = 'x', hash = pganalytics.audit_row_hash(previous_hash, id, at, 'x', action, subject, "
                             "address, detail::text) where id = 3", "row 4 does not continue row 3"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_shows(story, name):
    sql, words = TAMPERING[name]
    head = json.loads(command(story, "verify", "--json").stdout)["head"]
    story.sql("create table pganalytics.kept as select * from pganalytics.audit")
    try:
        story.sql("set session_replication_role = replica; " + sql)
        done = command(story, "verify", "--head", head)
        assert done.returncode == 1 and words in done.stderr and "HINT" in done.stderr, done.stderr
    finally:
        story.sql("set session_replication_role = replica; delete from pganalytics.audit; insert into pganalytics.audit select * from pganalytics.kept; "
                  "drop table pganalytics.kept")
    assert json.loads(command(story, "verify", "--json", "--head", head).stdout) == {"intact": True, "rows": story.count("audit"), "head": head}


@pytest.mark.parametrize("sql", ["update pganalytics.audit set actor = 'x'", "delete from pganalytics.audit", "truncate pganalytics.audit"])
def test_ordinary_statements_cannot(story, sql):
    before = story.count("audit")
    story.postgres.sql(sql, story.database, check=False)
    assert story.count("audit") == before and command(story, "verify").returncode == 0
