"""Text that wants to be more than text: in paths, parameters, header values and JSON. It is refused, or kept letter by letter; it is never executed, cut or echoed raw."""

import json
import os
import urllib.parse

import pytest

from site_of_abuse import csr_of, new_key

# What somebody might try, whatever it is for.
EVIL = {
    "quote": "'",
    "SQL comment": "' or 1=1 --",
    "SQL drop": "'; drop table pganalytics.documents; --",
    "SQL union": "' union select key_sha256 from pganalytics.api_keys --",
    "SQL sleep": "'||pg_sleep(5)||'",
    "SQL dollar": "$$;select 1;$$",
    "placeholder": "$1",
    "backslash quote": "\\' or 1=1 --",
    "wide quote": "\u02bc or 1=1",
    "format": "%s%n%x{0}",
    "template": "{{7*7}}${7*7}#{7*7}",
    "shell": "$(touch /tmp/pwned);`id`|id",
    "log4j": "${jndi:ldap://127.0.0.1/a}",
    "path": "../../../../etc/passwd",
    "windows path": "..\\..\\boot.ini",
    "HTML": "<script>alert(1)</script>",
    "XML": "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>",
    "JSON": "\",\"role\":\"admin\",\"x\":\"",
    "LDAP": "*)(uid=*",
    "CSV": "=cmd|' /C calc'!A0",
    "null word": "null",
    "bidi": "\u202eevil\u202c",
    "combining": "a" + "\u0301" * 50,
    "emoji": "\U0001f418" * 20,
    "non-character": "\uffff\ufffe",
    "private use": "\ue000",
    "long": "x" * 250,
}


@pytest.fixture(scope="module")
def cast(site):
    return site, site.enrol("injection")


@pytest.mark.parametrize("name", EVIL)
def test_id_in_the_path(cast, name):
    site, own = cast
    text = urllib.parse.quote(EVIL[name], safe="")
    for path in ("/api/v1/collectors/{}", "/api/v1/config/{}", "/api/v1/servers/{}/metrics"):
        answer = site.with_key("admin", "GET", path.format(text))
        assert answer.status in (400, 404), answer
        assert EVIL[name] not in answer.body or len(EVIL[name]) < 3
        answer = site.with_key("admin", "GET", path.format(own.id + text))
        assert answer.status in (400, 404), answer


@pytest.mark.parametrize("parameter", ["type", "cursor", "from", "limit", "unknown"])
@pytest.mark.parametrize("name", ["quote", "SQL drop", "SQL sleep", "backslash quote", "non-character", "JSON", "long"])
def test_query_parameter(cast, name, parameter):
    site, own = cast
    path = f"/api/v1/servers/{own.id}/metrics?" + urllib.parse.urlencode({parameter: EVIL[name]})
    answer = site.with_key("viewer", "GET", path)
    if parameter == "type":
        assert answer.status == 200 and answer.json == {"metrics": []}, answer
    else:
        assert answer.status == 400 and answer.code == "bad_parameter", answer


@pytest.fixture(scope="module")
def rows(cast):
    """A family with a field, a series of it whose label is a quote, and an event."""
    site, own = cast
    site.sql("insert into pganalytics.families (plugin, name, is_events, view) values ('acme', 'evil_gauges', false, 'evil_gauges'), ('acme', 'evil_events', true, 'evil_events');"
             "insert into pganalytics.family_members (family_id, role, position, name, kind, ordinal, column_name)"
             " select id, role, 1, role, case role when 'field' then 'gauge' else '' end, ordinal, role"
             " from pganalytics.families, unnest('{label,field}'::text[]) with ordinality r (role, ordinal) where view like 'evil%';"
             f"insert into pganalytics.series (collector_id, family_id, labels, digest) select '{own.id}', id, array[chr(39)], '' from pganalytics.families where view = 'evil_gauges';"
             "insert into pganalytics.points select now(), id, '{1}' from pganalytics.series where labels = array[chr(39)];"
             f"insert into pganalytics.events (time, collector_id, family_id, labels, event) select now(), '{own.id}', id, '{{x}}', '{{}}' from pganalytics.families where view = 'evil_events'")


@pytest.mark.parametrize("name", EVIL)
def test_names_and_labels_of_series(cast, rows, name):
    site, _ = cast

    def ask(path, **parameters):
        return site.with_key("viewer", "GET", path + "?" + urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote))

    assert ask("/api/v1/query", family=EVIL[name], field="field").status == 404
    assert site.with_key("viewer", "GET", "/api/v1/families/" + urllib.parse.quote(EVIL[name], safe="")).status in (400, 404)
    for parameter in ("field", "labels", "from", "to", "step", "hold", "agg", "by", "group", "limit"):
        answer = ask("/api/v1/query", **{"family": "evil_gauges", "field": "field", parameter: EVIL[name]})
        assert answer.status == 400 and answer.code == "bad_parameter", (parameter, answer)
    for path, parameters in (("/api/v1/query", {"family": "evil_gauges", "field": "field"}), ("/api/v1/events", {"family": "evil_events"})):
        assert ask(path, **parameters, collector=EVIL[name]).status == 404
        for comparison in ("=", "~"):
            matcher = "label" + comparison + '"' + EVIL[name].replace("\\", "\\\\").replace('"', '\\"') + '"'
            answer = ask(path, **parameters, labels=matcher)
            assert answer.status == 200, answer
            found = answer.json["series" if path.endswith("query") else "events"]
            assert len(found) == (1 if name == "quote" and path.endswith("query") else 0), answer
    answer = ask("/api/v1/events", family="evil_events", text=EVIL[name], **{"from": "2026-11-01T00:00:00Z", "to": "2026-11-30T00:00:00Z"})
    assert answer.status == 200 and answer.json == {"events": []}, answer
    assert int(site.sql("select count(*) from pganalytics.points")) >= 1


# The target's own bytes, and the status they get. {id} is a collector that exists.
TARGETS = {
    "encoded zero": ("/api/v1/collectors/{id}%00", 400),
    "encoded zero in the query": ("/api/v1/servers/{id}/metrics?type=a%00b", 400),
    "encoded line break": ("/api/v1/collectors/{id}%0d%0aX-Evil:%201", 400),
    "encoded line break in the query": ("/api/v1/servers/{id}/metrics?type=a%0d%0aSet-Cookie:%20x", 400),
    "encoded slash": ("/api/v1/collectors%2f{id}", 400),
    "encoded slash, capital": ("/api/v1%2Fcollectors/{id}", 400),
    "encoded dots": ("/api/v1/%2e%2e/v1/collectors", 404),
    "double-encoded slash": ("/api/v1/collectors%252f{id}", 404),
    "overlong UTF-8": ("/api/v1/collectors/%c0%af", 400),
    "UTF-16 surrogate": ("/api/v1/collectors/%ed%a0%80", 400),
    "half a percent sign": ("/api/v1/collectors/%4", 400),
    "percent sign": ("/api/v1/collectors/%", 400),
    "no hex": ("/api/v1/collectors/%zz", 400),
    "encoded id": ("/api/v1/collectors/%%%02x{rest}", 400),
    "dot segment": ("/api/v1/collectors/./{id}", 404),
    "dot-dot segment": ("/api/v1/collectors/x/../{id}", 404),
    "semicolon": ("/api/v1/collectors/{id};admin=1", 404),
    "fragment": ("/api/v1/collectors/{id}#x", 400),
    "empty segment": ("/api/v1/collectors//{id}", 404),
    "slash at the end": ("/api/v1/collectors/{id}/", 404),
    "raw UTF-8": ("/api/v1/collectors/\u00e4", 400),
    "id with braces": ("/api/v1/collectors/{{{id}}}", 400),
    "absolute form": ("https://test/api/v1/collectors", 400),
    "authority form": ("test:443", 400),
    "asterisk": ("*", 400),
    "two parameters of a name": ("/api/v1/servers/{id}/metrics?limit=1&limit=2", 400),
    "parameter without a value": ("/api/v1/servers/{id}/metrics?type=", 400),
    "parameter without a name": ("/api/v1/servers/{id}/metrics?=x", 400),
    "hundred parameters": ("/api/v1/servers/{id}/metrics?" + "&".join(f"a{i}=1" for i in range(100)), 400),
    "list parameter": ("/api/v1/servers/{id}/metrics?type[]=x", 400),
    "limit negative": ("/api/v1/servers/{id}/metrics?limit=-1", 400),
    "limit zero": ("/api/v1/servers/{id}/metrics?limit=0", 400),
    "limit hex": ("/api/v1/servers/{id}/metrics?limit=0x10", 400),
    "limit float": ("/api/v1/servers/{id}/metrics?limit=1e3", 400),
    "limit plus": ("/api/v1/servers/{id}/metrics?limit=+1", 400),
    "limit Arabic digits": ("/api/v1/servers/{id}/metrics?limit=%d9%a1", 400),
    "limit beyond 64 bits": ("/api/v1/servers/{id}/metrics?limit=99999999999999999999999", 200),
    "from beyond": ("/api/v1/servers/{id}/metrics?from=99999-01-01T00:00:00Z", 400),
    "from without zone": ("/api/v1/servers/{id}/metrics?from=2026-01-01T00:00:00", 400),
    "from infinity": ("/api/v1/servers/{id}/metrics?from=infinity", 400),
    "from now": ("/api/v1/servers/{id}/metrics?from=now()", 400),
    "from after to": ("/api/v1/servers/{id}/metrics?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", 400),
    "cursor base64": ("/api/v1/servers/{id}/metrics?cursor=AAAAAAAAAAAAAAAAAAAAAA", 400),
}


@pytest.mark.parametrize("name", TARGETS)
def test_target(cast, name):
    site, own = cast
    target, status = TARGETS[name]
    target = target.replace("{{{id}}}", "{" + own.id + "}").replace("{id}", own.id).replace("%%%02x{rest}", "%" + own.id)
    answer = site.with_key("viewer", "GET", target)
    if name in ("id with braces", "encoded id", "raw UTF-8"):
        assert answer.status in (400, 404), answer
    else:
        assert answer.status == status, answer
    assert "x-evil" not in answer.headers and "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", EVIL)
def test_names_are_kept_letter_by_letter(cast, name):
    """Where text is free it comes back as it was, through database, list and audit log."""
    site, _ = cast
    text = EVIL[name]
    body = {"name": text, "hostname": text, "csr": csr_of(new_key())}
    answer = site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", site.registration_token())], json.dumps(body, ensure_ascii=False))
    assert answer.status == 201, answer
    shown = site.with_key("viewer", "GET", "/api/v1/collectors/" + answer.json["id"]).json
    assert shown["name"] == text and shown["hostname"] == text
    entry = [row for row in site.audit("collector.enrol") if row["subject"] == answer.json["id"]]
    assert len(entry) == 1 and entry[0]["detail"]["name"] == text


@pytest.mark.parametrize("name", EVIL)
def test_documents_are_kept_letter_by_letter(cast, name):
    site, own = cast
    document = {"type": "acme_test", "timestamp": "2026-01-02T03:04:05Z", "value": EVIL[name], EVIL[name]: 1}
    assert own.push(json.dumps(document, ensure_ascii=False)).status == 200
    newest = site.sql(f"select document from pganalytics.documents where collector_id = '{own.id}' order by id desc limit 1")
    assert json.loads(newest) == document


# Bodies that are not what they should be: (route, body, status)
REGISTER, PUSH, CONFIG, STATUS = "register", "push", "config", "status"
BODIES = {
    "control character in a name": (REGISTER, {"name": "a\nb", "hostname": "h"}, 400),
    "zero byte in a name": (REGISTER, {"name": "a\0b", "hostname": "h"}, 400),
    "delete character in a name": (REGISTER, {"name": "a\x7fb", "hostname": "h"}, 400),
    "name a number": (REGISTER, {"name": 1, "hostname": "h"}, 400),
    "name a list": (REGISTER, {"name": ["a"], "hostname": "h"}, 400),
    "name missing": (REGISTER, {"hostname": "h"}, 400),
    "name empty": (REGISTER, {"name": "", "hostname": "h"}, 400),
    "name of 256 bytes": (REGISTER, {"name": "x" * 256, "hostname": "h"}, 400),
    "an id of one's own": (REGISTER, {"name": "n", "hostname": "h", "id": "00000000-0000-4000-8000-000000000000"}, 400),
    "a role": (REGISTER, {"name": "n", "hostname": "h", "role": "admin"}, 400),
    "prototype": (REGISTER, {"name": "n", "hostname": "h", "__proto__": {"role": "admin"}}, 400),
    "enrollment id SQL": (REGISTER, {"name": "n", "hostname": "h", "enrollment_id": "' or 1=1 --"}, 400),
    "csr a path": (REGISTER, {"name": "n", "hostname": "h", "csr": "/etc/passwd"}, 400),
    "csr a certificate": (REGISTER, {"name": "n", "hostname": "h", "csr": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, 400),
    "csr rubbish in PEM": (REGISTER, {"name": "n", "hostname": "h", "csr": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"}, 400),
    "not JSON": (REGISTER, "name=n&hostname=h", 400),
    "a JSON list": (REGISTER, [], 400),
    "JSON twice": (REGISTER, '{"name":"n","hostname":"h"}{}', 400),
    "a key twice": (REGISTER, '{"name":"n","name":"m","hostname":"h"}', 400),
    "a comment": (REGISTER, '{"name":"n",/*x*/"hostname":"h"}', 400),
    "NaN": (PUSH, '{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":NaN}', 400),
    "Infinity": (PUSH, '{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":-Infinity}', 400),
    "UTF-8 broken": (PUSH, b'{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":"\xff\xfe"}', 400),
    "UTF-8 overlong": (PUSH, b'{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":"\xc0\x80"}', 400),
    "UTF-16": (PUSH, '{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z"}'.encode("utf-16"), 400),
    "byte order mark": (PUSH, b'\xef\xbb\xbf{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z"}', 400),
    "lone surrogate": (PUSH, '{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":"\\ud800"}', 400),
    "type SQL": (PUSH, {"type": "a'; drop table x; --", "timestamp": "2026-01-02T03:04:05Z"}, 400),
    "type with a capital": (PUSH, {"type": "Acme", "timestamp": "2026-01-02T03:04:05Z"}, 400),
    "type with a slash": (PUSH, {"type": "../x", "timestamp": "2026-01-02T03:04:05Z"}, 400),
    "timestamp SQL": (PUSH, {"type": "acme_test", "timestamp": "now()"}, 400),
    "timestamp infinity": (PUSH, {"type": "acme_test", "timestamp": "infinity"}, 400),
    "timestamp year 10000": (PUSH, {"type": "acme_test", "timestamp": "10000-01-01T00:00:00Z"}, 400),
    "timestamp BC": (PUSH, {"type": "acme_test", "timestamp": "-0001-01-01T00:00:00Z"}, 400),
    "timestamp February 30": (PUSH, {"type": "acme_test", "timestamp": "2026-02-30T00:00:00Z"}, 400),
    "envelope for another": (PUSH, {"collector_id": "00000000-0000-4000-8000-000000000000", "metrics": []}, 403),
    "envelope id SQL": (PUSH, {"collector_id": "' or '1'='1", "metrics": []}, 403),
    "envelope host with zero byte": (PUSH, {"hostname": "a\0b", "metrics": []}, 400),
    "envelope metrics an object": (PUSH, {"metrics": {"0": {}}}, 400),
    "empty body": (PUSH, "", 400),
    "config conninfo": (CONFIG, {"plugins": {"pg_stats": {"conninfo": "host=evil"}}}, 400),
    "config command": (CONFIG, {"plugins": {"exec": {"command": ["id"]}}}, 400),
    "config commands deep": (CONFIG, {"plugins": {"exec": {"commands": [{"command": ["id"]}]}}}, 400),
    "config path": (CONFIG, {"plugins": {"logs": {"paths": ["/etc/shadow"]}}}, 400),
    "config plugin dir": (CONFIG, {"plugin_dirs": ["/tmp"]}, 400),
    "config backend": (CONFIG, {"backend": {"url": "https://evil.example"}}, 400),
    "config plugin id": (CONFIG, {"plugins": {"../../evil": {}}}, 400),
    "config prototype": (CONFIG, {"__proto__": {}}, 400),
    "config interval SQL": (CONFIG, {"intervals": {"pg_stats": "'; drop table x"}}, 400),
    "config version of another": (CONFIG, {"version": 99}, 409),
    "status SQL": (STATUS, {"version": 1, "state": "' or 1=1"}, 400),
    "status zero byte": (STATUS, {"version": 1, "state": "rejected", "reason": "a\0b"}, 400),
    "status version negative": (STATUS, {"version": -1, "state": "applied"}, 400),
    "status version beyond": (STATUS, {"version": 2**64, "state": "applied"}, 400),
}


@pytest.fixture(scope="module")
def spare_token(cast):
    """A token that no bad body may use up."""
    site, _ = cast
    token = site.registration_token()
    yield token
    assert site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token)], {"name": "n", "hostname": "h"}).status == 201


@pytest.mark.parametrize("name", BODIES)
def test_body(cast, spare_token, name):
    site, own = cast
    route, body, status = BODIES[name]
    before = site.counts()
    if route == REGISTER:
        answer = site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", spare_token)], body)
    elif route == PUSH:
        answer = own.push(body)
    elif route == STATUS:
        answer = own.ask("POST", f"/api/v1/config/{own.id}/status", body=body)
    else:
        answer = site.with_key("admin", "PUT", f"/api/v1/config/{own.id}", body=body)
    assert answer.status == status and answer.code, answer
    assert site.counts() == before


# Header values that a route reads: (name, value, status of a push)
HEADERS = {
    "key with a line break": ("Idempotency-Key", "0" * 32 + ".1\r\nX: y", 200),  # that is two headers, and nothing else
    "key with SQL": ("Idempotency-Key", "' or 1=1 --", 400),
    "key with zero byte": ("Idempotency-Key", "0" * 32 + ".1\0", 400),
    "key with a bare line feed": ("Idempotency-Key", "0" * 32 + ".1\nX: y", 400),
    "key with a bare carriage return": ("Idempotency-Key", "0" * 32 + ".1\rX: y", 400),
    "content type with SQL": ("Content-Type", "application/json' or 1=1", 415),
    "content type of a form": ("Content-Type", "application/x-www-form-urlencoded", 415),
    "content type text": ("Content-Type", "text/plain", 415),
    "content encoding unknown": ("Content-Encoding", "br", 415),
    "content encoding twice over": ("Content-Encoding", "gzip, gzip", 415),
    "content encoding SQL": ("Content-Encoding", "gzip'--", 415),
    "user agent": ("User-Agent", "() { :;}; touch /tmp/pwned", 200),
    "forwarded for": ("X-Forwarded-For", "' or 1=1 --", 200),
    "a name with a blank": ("X Y", "z", 400),
    "a name with a colon": (":authority", "test", 400),
    "a blank before the colon": ("X-Test ", "z", 400),
    "a name that is empty": ("", "z", 400),
    "a name with UTF-8": ("X-\u00e4", "z", 400),
    "a name with zero byte": ("X-\0", "z", 400),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header(cast, name):
    site, own = cast
    header, value, status = HEADERS[name]
    answer = own.push(headers=[(header, value)])
    assert answer.status == status, answer
    # What a client says of its address is not believed.
    assert all("or 1=1" not in row["address"] for row in site.audit())


def test_nothing_was_executed(cast):
    site, _ = cast
    assert not os.path.exists("/tmp/pwned")
    tables = site.sql("select count(*) from pg_tables where schemaname = 'pganalytics'")
    assert int(tables) >= 9
