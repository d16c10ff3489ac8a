"""Questions that are wrong, and rows that are hostile: each parameter is refused by its name, and what is data comes back as it went in."""

import hashlib
import json
import time
import urllib.parse

import pytest

PLUGIN = "acme_hostile"
SCHEMA = json.dumps({"type": "object", "properties": {
    "things": {"type": "array", "x-family": "acme_thing", "items": {"type": "object", "properties": {
        "name": {"type": "string", "x-kind": "label"}, "size": {"type": ["number", "null"], "x-kind": "gauge", "x-unit": "By"}}}},
    "tales": {"type": "array", "items": {"type": "object", "properties": {
        "name": {"type": "string", "x-kind": "label"}, "text": {"type": "string", "x-kind": "event"}}}}}}).encode()
SHA256 = hashlib.sha256(SCHEMA).hexdigest()
JSON = ("Content-Type", "application/json")
FIELD = {"family": "acme_thing", "field": "size"}
LONG = "x" * 2049  # the longest parameter has 2048 bytes


def now(ago_s=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago_s))


@pytest.fixture(scope="module")
def cast(site):
    own = site.enrol("hostile")
    answer = own.ask("PUT", f"/api/v1/schemas/{SHA256}?type={PLUGIN}", [JSON], SCHEMA)
    assert answer.status == 200, answer
    return site, own


def document(members):
    """A document with these members, as text: its JSON need not be what a library would write."""
    return '{"type":"%s","timestamp":"%s",%s}' % (PLUGIN, now(), members)


def push(own, *documents):
    body = '{"collector_id":"%s","hostname":"h","version":"1","schemas":{"%s":"%s"},"metrics":[%s]}' % (own.id, PLUGIN, SHA256, ",".join(documents))
    return own.push(body)


def ask(site, path, parameters):
    return site.with_key("viewer", "GET", path + "?" + urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote))


# path, parameters, and the one that the answer names. {id} is a collector that exists.
QUERY, EVENTS, FAMILIES, METRICS = "/api/v1/query", "/api/v1/events", "/api/v1/families", "/api/v1/servers/{id}/metrics"
REVERSED = {"from": "2026-02-02T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
WRONG = [
    (QUERY, {}, "family"),
    (QUERY, {"family": "acme_thing"}, "field"),
    (QUERY, {"family": "acme_hostile_tales", "field": "text"}, "family"),
    (QUERY, {**FIELD, "field": "sise"}, "field"),
    (QUERY, {**FIELD, "field": "size,size"}, "field"),
    (QUERY, {**FIELD, "field": ","}, "field"),
    (QUERY, {**FIELD, "field": ",".join(f"f{i}" for i in range(11))}, "field"),
    (QUERY, {**FIELD, "field": "size\0"}, "field"),
    (QUERY, {**FIELD, "labels": "name"}, "labels"),
    (QUERY, {**FIELD, "labels": 'name="a'}, "labels"),
    (QUERY, {**FIELD, "labels": 'name=~"a"'}, "labels"),
    (QUERY, {**FIELD, "labels": 'nobody="a"'}, "labels"),
    (QUERY, {**FIELD, "labels": 'name="a\0"'}, "labels"),
    (QUERY, {**FIELD, "labels": 'name="' + LONG + '"'}, "labels"),
    (QUERY, {**FIELD, "labels": ",".join(['name="a"'] * 100)}, "labels"),
    (QUERY, {**FIELD, "labels": '{"name":{"name":{"name":[]}}}'}, "labels"),
    (QUERY, {**FIELD, **REVERSED}, "from"),
    (QUERY, {**FIELD, "from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
    (QUERY, {**FIELD, "from": "1969-12-31T23:59:59Z", "to": "1970-01-01T00:00:00Z"}, "from"),
    (QUERY, {**FIELD, "from": "NaN"}, "from"),
    (QUERY, {**FIELD, "from": "1e9"}, "from"),
    (QUERY, {**FIELD, "to": "9999-01-01T00:00:00Z"}, "to"),
    (QUERY, {**FIELD, "to": "tomorrow"}, "to"),
    (QUERY, {**FIELD, "step": "NaN"}, "step"),
    (QUERY, {**FIELD, "step": "-1s"}, "step"),
    (QUERY, {**FIELD, "step": "0s"}, "step"),
    (QUERY, {**FIELD, "step": "1500ms"}, "step"),
    (QUERY, {**FIELD, "step": "1s", "from": "2026-01-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, "step"),
    (QUERY, {**FIELD, "step": "9" * 30 + "d"}, "step"),
    (QUERY, {**FIELD, "hold": "2d"}, "hold"),
    (QUERY, {**FIELD, "agg": "median"}, "agg"),
    (QUERY, {**FIELD, "agg": "p101"}, "agg"),
    (QUERY, {**FIELD, "agg": "quantile(NaN)"}, "agg"),
    (QUERY, {**FIELD, "by": "nobody"}, "by"),
    (QUERY, {**FIELD, "by": "name,name"}, "by"),
    (QUERY, {**FIELD, "group": "all"}, "group"),
    (QUERY, {**FIELD, "limit": "NaN"}, "limit"),
    (QUERY, {**FIELD, "limit": "-1"}, "limit"),
    (QUERY, {**FIELD, "famly": "x"}, "famly"),
    (EVENTS, {"family": "acme_thing"}, "family"),
    (EVENTS, {"labels": 'nobody="a"'}, "labels"),
    (EVENTS, {"labels": "name = "}, "labels"),
    (EVENTS, {"labels": 'name="' + LONG + '"'}, "labels"),
    (EVENTS, {"text": "a"}, "from"),
    (EVENTS, {"text": "a", "from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "from"),
    (EVENTS, {"text": "a\0", "from": "2026-01-01T00:00:00Z"}, "text"),
    (EVENTS, {"severity": "a\0"}, "severity"),
    (EVENTS, REVERSED, "from"),
    (EVENTS, {"to": "NaN"}, "to"),
    (EVENTS, {"limit": "1.5"}, "limit"),
    (EVENTS, {"cursor": "x"}, "cursor"),
    (EVENTS, {"cursor": "' or 1=1 --"}, "cursor"),
    (EVENTS, {"cursor": "A" * 64}, "cursor"),
    (FAMILIES, {"cursor": "x"}, "cursor"),
    (FAMILIES, {"cursor": "' or 1=1 --"}, "cursor"),
    (FAMILIES, {"limit": "NaN"}, "limit"),
    (FAMILIES, {"sizes": "1"}, "sizes"),
    (FAMILIES, {"plugin": "a\0"}, "plugin"),
    (FAMILIES, {"plugin": LONG}, "plugin"),
    (FAMILIES, {"plugins": "x"}, "plugins"),
    (METRICS, REVERSED, "from"),
    (METRICS, {"from": "NaN"}, "from"),
    (METRICS, {"to": "now()"}, "to"),
    (METRICS, {"limit": "1;drop"}, "limit"),
    (METRICS, {"cursor": "A" * 64}, "cursor"),
    (METRICS, {"type": "a\0"}, "type"),
    (METRICS, {"type": LONG}, "type"),
]


@pytest.mark.parametrize("path,parameters,named", WRONG, ids=lambda value: value.strip("/") if isinstance(value, str) else str(value)[:60])
def test_what_is_wrong_is_named(cast, path, parameters, named):
    site, own = cast
    answer = ask(site, path.replace("{id}", own.id), parameters)
    assert answer.status == 400 and answer.code in ("bad_parameter", "bad_target"), answer
    message = answer.json["error"]["message"]
    assert message.startswith(named + ": ") or f'"{named}"' in message, message


@pytest.mark.parametrize("name", ["none", "acme_thin", "acme_thing' --", "pganalytics.api_keys", "x" * 2000])
def test_families_that_are_not_there(cast, name):
    site, _ = cast
    for answer in (ask(site, QUERY, {**FIELD, "family": name}), ask(site, EVENTS, {"family": name}),
                   site.with_key("viewer", "GET", FAMILIES + "/" + urllib.parse.quote(name, safe=""))):
        assert answer.status == 404 and answer.code == "no_such_family", answer


# Each is the name of one thing and of one tale: how it is written in JSON, and what it is read as.
NAMES = {
    "quotes": (json.dumps("'\"`''\\\"$$"), "'\"`''\\\"$$"),
    "SQL": (json.dumps("'); drop table pganalytics.points; --"), "'); drop table pganalytics.points; --"),
    "array": (json.dumps('{a,NULL,"b"}'), '{a,NULL,"b"}'),
    "COPY": (json.dumps("a\tb\n\\.\n\\N"), "a\tb\n\\.\n\\N"),
    "null word": ('"NULL"', "NULL"),
    "empty": ('""', None),
    "zero byte": ('"a\\u0000b"', "a\ufffdb"),
    "emoji": ('"\\ud83d\\udc18"', "\U0001f418"),
}


@pytest.mark.parametrize("case", NAMES)
def test_labels_come_back_as_they_were(cast, case):
    site, own = cast
    written, name = NAMES[case]
    members = '"things":[{"name":%s,"size":7}],"tales":[{"name":%s,"text":%s}]' % (written, written, written)
    answer = push(own, document(members))
    assert answer.status == 200 and answer.json["rejected"] == [], answer
    series = ask(site, QUERY, {**FIELD, "collector": own.id, "agg": "last"}).json["series"]
    found = [each for each in series if each["labels"].get("name") == name]
    assert len(found) == 1 and 7 in found[0]["values"], series
    events = ask(site, EVENTS, {"family": "acme_hostile_tales", "collector": own.id}).json["events"]
    assert (name or "") in [each["event"]["name"] for each in events], events


def test_labels_of_64_kb_stay_apart(cast):
    site, own = cast
    names = ["y" * 65_536 + end for end in "ab"]
    answer = push(own, document('"things":[{"name":"%s","size":1},{"name":"%s","size":2}]' % tuple(names)))
    assert answer.status == 200 and answer.json["rejected"] == [], answer
    series = ask(site, QUERY, {**FIELD, "collector": own.id, "agg": "last", "labels": 'name~"yyy*"'}).json["series"]
    assert len(series) == 2 and len({each["labels"]["name"] for each in series}) == 2
    assert sorted(max(value for value in each["values"] if value is not None) for each in series) == [1, 2]


# Documents that are refused by their place, whatever stands beside them.
REFUSED = {
    "size a string": '"things":[{"name":"bad","size":"1"}]',
    "size an object": '"things":[{"name":"bad","size":{"a":1}}]',
    "things an object": '"things":{"name":"bad","size":1}',
    "a key twice": '"things":[{"name":"bad","name":"worse","size":1}]',
    "its type twice": '"type":"%s"' % PLUGIN,
    "nested deeply": '"deep":' + "[" * 60 + "]" * 60,
    "a number beyond a double": '"things":[{"name":"bad","size":1e99999}]',
    "a number of 400 digits": '"more":-' + "9" * 400,
    "half of a surrogate pair": '"things":[{"name":"bad","size":1}],"note":"\\ud800"',
    "half of one in a name": '"things":[{"name":"bad","size":1,"\\uDBFF\\u0041":1}]',
    "a number of an event too fine": '"tales":[{"name":"bad","text":"x","n":1e-9999}]',
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_document_is_refused_and_its_neighbours_are_stored(cast, case):
    site, own = cast
    before = own.stored()
    good = document('"things":[{"name":"good","size":3}]')
    answer = push(own, good, document(REFUSED[case]), good)
    assert answer.status == 200 and answer.json["metrics_count"] == 2, answer
    assert [each["index"] for each in answer.json["rejected"]] == [1] and answer.json["rejected"][0]["message"], answer
    assert own.stored() == before + 2
    assert site.sql("select count(*) from pganalytics.series where labels[1] = 'bad'") == "0"


# Bodies that no reader would read alike.
BODIES = {
    "NaN": '{"metrics":[{"type":"%s","timestamp":"2026-01-02T03:04:05Z","x":NaN}]}',
    "NaN behind a number beyond a double": '{"metrics":[{"type":"%s","timestamp":"2026-01-02T03:04:05Z","x":[1e99999,NaN]}]}',
    "metrics twice": '{"metrics":[],"metrics":[{"type":"%s"}]}',
    "schemas twice for a plugin": '{"schemas":{"%s":"' + SHA256 + '"},"schemas":{},"metrics":[]}',
    "schemas a list": '{"schemas":["%s"],"metrics":[]}',
    "schemas with a number": '{"schemas":{"%s":1},"metrics":[]}',
    "seq NaN": '{"epoch":"' + "0" * 32 + '","seq":"NaN","metrics":[],"hostname":"%s"}',
    "nested without end": '{"hostname":"%s","metrics":[' + "[" * 5000,
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies_of_a_push(cast, case):
    site, own = cast
    before = site.counts()
    answer = own.push(BODIES[case] % PLUGIN)
    assert answer.status == 400 and len(answer.json["error"]["message"]) > 10, answer
    assert site.counts() == before


# What the schema of a plugin may not be, and a word of the answer.
SCHEMAS = {
    "a key twice": (b'{"type":"object","type":"object"}', "type"),
    "a property twice": (b'{"type":"object","properties":{"a":{"type":"integer","x-kind":"gauge"},"a":{"type":"string"}}}', "a"),
    "NaN": (b'{"type":"object","properties":{"a":{"type":"number","minimum":NaN}}}', "byte 62"),
    "nested deeply": (b'{"type":"object","properties":{"a":' * 500 + b"{}" + b"}}" * 500, "deep"),
    "an unknown type": (b'{"type":"nothing"}', "type"),
    "an unknown keyword": (b'{"type":"object","x-sql":"drop"}', "x-sql"),
    "a list": (b"[]", "object"),
    "half of one": (b"{", "byte 1"),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_schemas_that_are_none(cast, case):
    site, own = cast
    body, word = SCHEMAS[case]
    before = site.count("schemas")
    answer = own.ask("PUT", f"/api/v1/schemas/{hashlib.sha256(body).hexdigest()}?type={PLUGIN}", [JSON], body)
    assert answer.status == 422 and answer.code == "bad_schema" and word in answer.json["error"]["message"], answer
    assert site.count("schemas") == before


def test_names_in_a_schema_become_names_in_sql(cast):
    site, own = cast
    evil = "a\"; drop table pganalytics.points; --"
    leaf = {"type": "integer", "x-kind": "gauge", "x-unit": "1", "description": evil}
    body = json.dumps({"type": "object", "properties": {"a": {"type": "object", "x-family": evil, "properties": {evil: leaf}}}}).encode()
    answer = own.ask("PUT", f"/api/v1/schemas/{hashlib.sha256(body).hexdigest()}?type=acme_evil", [JSON], body)
    assert answer.status == 200, answer
    (family,) = ask(site, FAMILIES, {"plugin": "acme_evil"}).json["families"]
    (field,) = family["fields"]
    assert family["family"].replace("_", "").isalnum() and field["name"].replace("_", "").isalnum(), family
    assert field["description"] == evil
    assert site.sql(f"select count(*) from metrics.{family['family']}") == "0"
    assert site.count("points") >= 0


@pytest.mark.parametrize("query", ["", "?type=", "?type=A", "?type=a'%20--", "?type=acme_x&type=acme_x", "?type=acme_x&other=1"])
def test_parameters_of_a_schema(cast, query):
    _, own = cast
    answer = own.ask("PUT", f"/api/v1/schemas/{SHA256}{query}", [JSON], SCHEMA)
    assert answer.status == 400 and answer.json["error"]["message"].startswith("type: "), answer
