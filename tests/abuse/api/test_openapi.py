"""docs/openapi.yaml against the running server: the same paths, methods and statuses, and every answer as its schema says, no member more."""

import hashlib
import os
import re
import uuid

import jsonschema
import pytest
import yaml

from site_of_abuse import DOCUMENT, NOBODY, csr_of, new_key

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs")
with open(os.path.join(DOCS, "openapi.yaml")) as file:
    OPENAPI = yaml.safe_load(file)
with open(os.path.join(DOCS, "API.md")) as file:
    WORDS = file.read()
METHODS = ("get", "put", "post", "delete", "patch")
OPERATIONS = {(method.upper(), path): operation for path, item in OPENAPI["paths"].items() for method, operation in item.items() if method in METHODS}

TIGHT = "[limits]\npush_per_second = 1\npush_burst = 3\nread_per_second = 1\nread_burst = 3\ntoken_per_minute = 2\nenrol_per_minute = 3\n"


def resolved(node):
    while "$ref" in node:
        target = OPENAPI
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def as_json_schema(schema, strict):
    """OpenAPI 3.0's dialect as JSON Schema; `strict`: what is not described may not be there."""
    schema = dict(resolved(schema))
    for keyword in ("properties",):
        if keyword in schema:
            schema[keyword] = {name: as_json_schema(value, strict) for name, value in schema[keyword].items()}
            if strict:
                schema.setdefault("additionalProperties", False)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            schema[keyword] = as_json_schema(schema[keyword], strict)
    for keyword in ("oneOf", "allOf", "anyOf"):
        if keyword in schema:
            schema[keyword] = [as_json_schema(choice, strict) for choice in schema[keyword]]
    if schema.pop("nullable", False):
        schema = {"anyOf": [{"type": "null"}, schema]}
    return schema


def check_format(value):
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


FORMATS = jsonschema.FormatChecker()
FORMATS.checks("date-time")(check_format)
FORMATS.checks("uuid")(lambda value: str(uuid.UUID(value)) == value.lower())


def validate(instance, schema, strict):
    jsonschema.Draft4Validator(as_json_schema(schema, strict), format_checker=FORMATS).validate(instance)


class Book:
    """Asks, and holds every answer against the document."""

    def __init__(self):
        self.seen = set()

    def check(self, method, path, answer, request_body=None):
        operation = OPERATIONS[method, path]
        documented = operation["responses"].get(str(answer.status)) or operation["responses"]["default"]
        if str(answer.status) in operation["responses"]:
            self.seen.add((method, path, str(answer.status)))
        response = resolved(documented)
        for name, header in response.get("headers", {}).items():
            assert name.lower() in answer.headers, f"{name} is documented and missing: {answer.headers}"
            wanted = header["schema"].get("enum")
            assert not wanted or answer.headers[name.lower()] in wanted
        if "content" in response:
            assert answer.headers["content-type"] == "application/json"
            validate(answer.json, response["content"]["application/json"]["schema"], strict=True)
        else:
            assert answer.body == ""
        if answer.status >= 400:
            assert f"`{answer.code}`" in WORDS, f"the code {answer.code} is not in docs/API.md"
        if answer.status < 300 and request_body is not None:
            validate(request_body, operation["requestBody"]["content"]["application/json"]["schema"], strict=False)
        return answer


@pytest.fixture(scope="module")
def book():
    return Book()


@pytest.fixture(scope="module")
def cast(site):
    """The site, a collector, another one, a revoked one."""
    own, other, revoked = site.enrol("documented"), site.enrol("other"), site.enrol("revoked")
    site.with_key("admin", "DELETE", f"/api/v1/collectors/{revoked.id}")
    return site, own, other, revoked


@pytest.fixture(scope="module")
def tight(make_site):
    site = make_site(config=TIGHT)
    yield site
    site.close()


C, CONFIG, PUSH, METRICS = "/api/v1/collectors", "/api/v1/config/{id}", "/api/v1/metrics/push", "/api/v1/servers/{id}/metrics"
FAMILIES, QUERY, EVENTS, SCHEMAS = "/api/v1/families", "/api/v1/query", "/api/v1/events", "/api/v1/schemas/{sha256}"
JSON = ("Content-Type", "application/json")
ENVELOPE = {"collector_id": "", "hostname": "h", "version": "1", "epoch": "", "seq": 1, "metrics": [DOCUMENT, {"type": "Bad"}]}


def register_body(**members):
    return {"name": "n", "hostname": "h", "csr": csr_of(new_key()), **members}


def keyed(site, role):
    return [("Authorization", "Bearer " + site.key(role))]


def test_health(book, cast):
    site, *_ = cast
    book.check("GET", "/api/v1/health", site.ask("GET", "/api/v1/health"))
    book.check("GET", "/api/v1/health/details", site.ask("GET", "/api/v1/health/details", keyed(site, "viewer")))


def test_register(book, cast):
    site, *_ = cast
    path = C + "/register"

    def ask(body, token=None, headers=()):
        secret = [("X-Registration-Secret", token or site.registration_token())]
        return book.check("POST", path, site.ask("POST", path, [*secret, *headers], body), body if isinstance(body, dict) else None)

    assert ask(register_body(enrollment_id=str(uuid.uuid4()))).status == 201
    answer = ask({"name": "n", "hostname": "h"})
    assert answer.status == 201 and "PRIVATE KEY" in answer.json["key"]
    body = register_body(registration_token=site.registration_token())
    assert book.check("POST", path, site.ask("POST", path, body=body), body).status == 201
    assert ask({"name": ""}).status == 400
    assert ask(register_body(), "pge_none").status == 401
    assert ask(None, headers=[JSON]).status == 411
    assert ask(b"x" * 70_000).status == 413
    assert ask(b"x", headers=[("Content-Type", "text/plain")]).status == 415


def test_token(book, cast):
    site, own, other, _ = cast
    path = C + "/{id}/token"
    for certificate, status in ((own.certificate, 200), (None, 401), (other.certificate, 403)):
        assert book.check("POST", path, site.ask("POST", path.replace("{id}", own.id), certificate=certificate)).status == status


def test_push(book, cast):
    site, own, other, revoked = cast

    def ask(collector, body, headers=()):
        return book.check("POST", PUSH, collector.push(body, headers), body if isinstance(body, dict) else None)

    epoch = uuid.uuid4().hex
    body = {**ENVELOPE, "collector_id": own.id, "epoch": epoch}
    key = [("Idempotency-Key", f"{epoch}.1")]
    first = book.check("POST", PUSH, own.push(body, key))
    assert first.status == 200 and first.json["rejected"][0]["index"] == 1
    assert book.check("POST", PUSH, own.push(body, key)).json["duplicate"] is True
    assert ask(own, {**body, "hostname": "g"}, key).status == 422
    assert ask(own, DOCUMENT).status == 200
    assert ask(own, b"{").status == 400
    assert ask(own, b"{}", [("Idempotency-Key", "x")]).status == 400
    assert ask(own, {**body, "collector_id": other.id}).status == 403
    assert ask(revoked, DOCUMENT).status == 403
    assert ask(own, b" " * (1 << 20) + b"{").status == 413
    assert ask(own, b"x", [("Content-Encoding", "br")]).status == 415
    assert book.check("POST", PUSH, own.ask("POST", PUSH, [("Content-Type", "application/json")])).status == 411
    assert book.check("POST", PUSH, site.ask("POST", PUSH, body=DOCUMENT)).status == 401


def test_schemas(book, cast):
    site, own, _, revoked = cast
    schema = b'{"type":"object","properties":{"size":{"type":"integer","x-kind":"gauge","x-unit":"By"}}}'

    def target(body):
        return SCHEMAS.replace("{sha256}", hashlib.sha256(body).hexdigest()) + "?type=acme_sizes"

    def put(body, collector=own, target=target(schema), headers=(JSON,)):
        return book.check("PUT", SCHEMAS, collector.ask("PUT", target, headers, body))

    assert put(schema).status == 200
    assert put(schema).status == 200
    assert put(b"{}").status == 400  # of another digest
    wrong = b'{"type":"nothing"}'
    assert put(wrong, target=target(wrong)).status == 422
    assert put(schema, revoked).status == 403
    assert put(b" " * (2 << 20)).status == 413
    assert put(b"x", headers=[("Content-Type", "text/plain")]).status == 415
    assert put(None).status == 411
    assert book.check("PUT", SCHEMAS, site.ask("PUT", target(schema), [JSON], schema)).status == 401


def test_config(book, cast):
    site, own, other, _ = cast
    target = CONFIG.replace("{id}", own.id)

    def put(body, role="admin", target=target, headers=()):
        return book.check("PUT", CONFIG, site.with_key(role, "PUT", target, headers, body), body if isinstance(body, dict) else None)

    def get(headers, certificate=None, target=target):
        return book.check("GET", CONFIG, site.ask("GET", target, headers, certificate=certificate))

    assert get([own.bearer], own.certificate).json["version"] == 0
    whole = {"intervals": {"pg_stats": "30s", "sysstat": 10}, "enabled_collectors": ["pg_stats"], "log_filters": ["ERROR"], "retention_days": 7,
             "compression": "gzip", "backup_interval": "24h", "plugins": {"pg_stats": {}}}
    answer = put(whole)
    assert answer.status == 200
    assert put({"version": answer.json["version"]}).status == 200
    assert put({"version": answer.json["version"]}).status == 409
    assert put({"retention_days": 0}).status == 400
    assert put({}, "viewer").status == 403
    assert put({}, target=CONFIG.replace("{id}", NOBODY)).status == 404
    assert put(b"x" * 70_000).status == 413
    assert put(b"x", headers=[("Content-Type", "text/plain")]).status == 415
    assert put(None, headers=[JSON]).status == 411
    assert book.check("PUT", CONFIG, site.ask("PUT", target, body={})).status == 401
    answer = get([own.bearer], own.certificate)
    assert get([own.bearer, ("If-None-Match", answer.headers["etag"])], own.certificate).status == 304
    assert get([]).status == 401
    assert get([other.bearer], other.certificate).status == 403
    assert get(keyed(site, "admin"), target=CONFIG.replace("{id}", NOBODY)).status == 404
    status = CONFIG + "/status"

    def report(body, collector=own, headers=()):
        answer = collector.ask("POST", status.replace("{id}", own.id), headers, body)
        return book.check("POST", status, answer, body if isinstance(body, dict) else None)

    assert report({"version": 1, "state": "rejected", "reason": "a plugin said no"}).status == 204
    assert report({"version": 2, "state": "applied"}).status == 204
    assert report({"version": "x"}).status == 400
    assert report({"version": 99, "state": "applied"}).status == 400  # nobody gave it
    assert report({"version": 1, "state": "applied"}, other).status == 403
    assert report(b"x" * 70_000).status == 413
    assert report(b"x", headers=[("Content-Type", "text/plain")]).status == 415
    assert report(None, headers=[JSON]).status == 411
    assert book.check("POST", status, site.ask("POST", status.replace("{id}", own.id), body={})).status == 401
    assert get(keyed(site, "admin")).json["collector"]["state"] == "applied"


def test_config_history(book, cast):
    site, own, *_ = cast
    history, rollback, target = CONFIG + "/history", CONFIG + "/rollback", CONFIG.replace("{id}", own.id)
    nobodys = CONFIG.replace("{id}", NOBODY)

    def get(role, target=target):
        return book.check("GET", history, site.with_key(role, "GET", target + "/history"))

    def roll_back(body, role="admin", target=target, headers=()):
        answer = site.with_key(role, "POST", target + "/rollback", headers, body)
        return book.check("POST", rollback, answer, body if isinstance(body, dict) else None)

    for days in (3, 4):
        assert site.with_key("admin", "PUT", target, body={"retention_days": days}).status == 200
    newest, before = (entry["version"] for entry in get("admin").json["versions"][:2])
    assert roll_back({"version": before}).json["retention_days"] == 3
    entry = get("admin").json["versions"][0]
    assert (entry["version"], entry["restores"], entry["changed"]) == (newest + 1, before, ["retention_days"])
    assert roll_back({"version": 0}).json["retention_days"] == 30
    assert roll_back({"version": -1}).status == 400
    assert roll_back({"version": 99_999}).json["error"]["code"] == "no_such_version"
    assert roll_back({"version": 1}, "operator").status == 403
    assert roll_back({"version": 1}, target=nobodys).status == 404
    assert roll_back(b"x" * 70_000).status == 413
    assert roll_back(b"x", headers=[("Content-Type", "text/plain")]).status == 415
    assert roll_back(None, headers=[JSON]).status == 411
    assert book.check("POST", rollback, site.ask("POST", target + "/rollback", body={})).status == 401
    assert get("viewer").status == 403
    assert get("admin", nobodys).status == 404
    assert book.check("GET", history, site.ask("GET", target + "/history")).status == 401

    def version(text):
        return book.check("GET", CONFIG, site.with_key("admin", "GET", f"{target}?version={text}"))

    assert version(before).json["retention_days"] == 3
    assert version(0).json["version"] == 0
    assert version(99_999).status == 404
    for wrong in ("x", "-1", "1.0", "99999999999999999999"):
        assert version(wrong).status == 400


def test_audit(book, cast):
    site, own, *_ = cast
    path = "/api/v1/audit"

    def get(query="", role="admin"):
        return book.check("GET", path, site.with_key(role, "GET", path + query))

    assert get().status == 200
    page = get(f"?actor=key:admin:*&action=config.*&subject={own.id}&from=2026-01-01T00:00:00Z&limit=1").json
    assert [entry["subject"] for entry in page["entries"]] == [own.id] and page["next_cursor"]
    for wrong in ("?limit=x", "?cursor=x", "?from=x", "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "?who=x", "?actor="):
        assert get(wrong).status == 400
    assert get(role="viewer").status == 403
    assert book.check("GET", path, site.ask("GET", path)).status == 401


def test_collectors(book, cast):
    site, own, *_ = cast
    for headers, status in ((keyed(site, "viewer"), 200), ([], 401)):
        assert book.check("GET", C, site.ask("GET", C, headers)).status == status
        assert book.check("GET", C + "/{id}", site.ask("GET", f"{C}/{own.id}", headers)).status == status
    assert book.check("GET", C, own.ask("GET", C)).status == 403
    assert book.check("GET", C + "/{id}", own.ask("GET", f"{C}/{own.id}")).status == 403
    assert book.check("GET", C + "/{id}", site.with_key("viewer", "GET", f"{C}/{NOBODY}")).status == 404
    victim = site.enrol("victim")
    for headers, id_, status in (([], victim.id, 401), (keyed(site, "operator"), victim.id, 403), (keyed(site, "admin"), NOBODY, 404),
                                 (keyed(site, "admin"), victim.id, 204)):
        assert book.check("DELETE", C + "/{id}", site.ask("DELETE", f"{C}/{id_}", headers)).status == status


def test_metrics(book, cast):
    site, own, *_ = cast
    target = METRICS.replace("{id}", own.id)
    for query in ("", "?limit=1", "?type=acme_test&from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z"):
        assert book.check("GET", METRICS, site.with_key("viewer", "GET", target + query)).status == 200
    assert book.check("GET", METRICS, site.with_key("viewer", "GET", target + "?limit=x")).status == 400
    assert book.check("GET", METRICS, site.ask("GET", target)).status == 401
    assert book.check("GET", METRICS, own.ask("GET", target)).status == 403
    assert book.check("GET", METRICS, site.with_key("viewer", "GET", METRICS.replace("{id}", NOBODY))).status == 404


@pytest.fixture(scope="module")
def gauges(cast):
    """A family with a field."""
    site, *_ = cast
    site.sql("insert into pganalytics.families (plugin, name, description, is_events, view) values ('acme', 'gauges', 'd', false, 'gauges');"
             "insert into pganalytics.family_members (family_id, role, position, name, kind, unit, ordinal, column_name)"
             " select id, role, 1, role, case role when 'field' then 'gauge' else '' end, '', ordinal, role"
             " from pganalytics.families, unnest('{label,field,fact}'::text[]) with ordinality r (role, ordinal) where view = 'gauges'")
    return "gauges"


def test_families(book, cast, gauges):
    site, own, *_ = cast
    for target, path, right, wrong in ((FAMILIES, FAMILIES, "?limit=5&sizes=true", ("?limit=x", 400)), (FAMILIES, FAMILIES + "/{name}", "/" + gauges, ("/none", 404))):
        assert book.check("GET", path, site.with_key("viewer", "GET", target + right)).status == 200
        assert book.check("GET", path, site.with_key("viewer", "GET", target + wrong[0])).status == wrong[1]
        assert book.check("GET", path, site.ask("GET", target + right)).status == 401
        assert book.check("GET", path, own.ask("GET", target + right)).status == 403


def test_query(book, cast, gauges):
    site, own, *_ = cast
    series = (f"insert into pganalytics.series (collector_id, family_id, labels, digest) select '{own.id}', id, array[label], label::bytea from pganalytics.families,"
              " unnest('{a,b}'::text[]) label where view = 'gauges'; insert into pganalytics.points select now(), id, '{1}' from pganalytics.series")
    site.sql(series)
    good = QUERY + "?family=gauges&field=field"
    for query, status in (("", 200), ("&group=sum&limit=1", 200), ("&limit=1", 422), ("&step=x", 400), ("&collector=none", 404)):
        assert book.check("GET", QUERY, site.with_key("viewer", "GET", good + query)).status == status
    assert book.check("GET", QUERY, site.ask("GET", good)).status == 401
    assert book.check("GET", QUERY, own.ask("GET", good)).status == 403


def test_events(book, cast):
    site, own, *_ = cast
    site.sql("insert into pganalytics.families (plugin, name, is_events, view) values ('acme', 'events', true, 'events');"
             f"insert into pganalytics.events (time, collector_id, family_id, labels, event) select now(), '{own.id}', id, '{{}}', json::jsonb"
             """ from pganalytics.families, unnest(array['{"message": "m"}', '{"message": "\\u00e4"}']) json where view = 'events'""")
    for query, status in (("", 200), ("?family=events&limit=1", 200), ("?limit=x", 400), ("?collector=none", 404)):
        assert book.check("GET", EVENTS, site.with_key("viewer", "GET", EVENTS + query)).status == status
    assert book.check("GET", EVENTS, site.ask("GET", EVENTS)).status == 401
    assert book.check("GET", EVENTS, own.ask("GET", EVENTS)).status == 403
    site.sql("create function pganalytics.slow(v jsonb) returns jsonb language plpgsql as $$ begin raise query_canceled; end $$;"
             "alter table pganalytics.events rename to kept;"
             "create view pganalytics.events as select id, time, collector_id, family_id, labels, pganalytics.slow(event) as event from pganalytics.kept")
    assert book.check("GET", EVENTS, site.with_key("viewer", "GET", EVENTS)).status == 422
    site.sql("drop view pganalytics.events; alter table pganalytics.kept rename to events")


def test_ca(book, cast):
    site, own, _, revoked = cast
    answer = book.check("GET", "/api/v1/ca", site.ask("GET", "/api/v1/ca", certificate=own.certificate))
    assert answer.status == 200
    again = site.ask("GET", "/api/v1/ca", [("If-None-Match", answer.headers["etag"])], certificate=own.certificate)
    assert book.check("GET", "/api/v1/ca", again).status == 304
    assert book.check("GET", "/api/v1/ca", site.ask("GET", "/api/v1/ca")).status == 401
    assert book.check("GET", "/api/v1/ca", site.ask("GET", "/api/v1/ca", certificate=revoked.certificate)).status == 403


def test_certificate(book, cast):
    site, own, other, _ = cast
    path = C + "/{id}/certificate"

    def ask(body, collector=own, headers=()):
        return book.check("POST", path, collector.ask("POST", path.replace("{id}", own.id), headers, body), body if isinstance(body, dict) else None)

    assert ask({"csr": "none"}).status == 400
    assert ask({"csr": csr_of(own.key)}).status == 400  # the same key again
    assert ask({"csr": csr_of(new_key())}, other).status == 403
    assert ask(b"x" * 70_000).status == 413
    assert ask(b"x", headers=[("Content-Type", "text/plain")]).status == 415
    assert ask(None, headers=[JSON]).status == 411
    assert book.check("POST", path, site.ask("POST", path.replace("{id}", own.id), body={"csr": "x"})).status == 401
    assert ask({"csr": csr_of(new_key())}).status == 200


def test_too_often(book, tight):
    own = tight.enrol("often")

    def until_429(method, path, ask):
        for _ in range(60):
            answer = book.check(method, path, ask())
            if answer.status == 429:
                assert int(answer.headers["retry-after"]) >= 1
                return
        raise AssertionError(f"{method} {path} never answered 429")

    until_429("POST", PUSH, own.push)
    until_429("PUT", SCHEMAS, lambda: own.ask("PUT", SCHEMAS.replace("{sha256}", "0" * 64), [JSON], b"{}"))
    until_429("POST", CONFIG + "/status", lambda: own.ask("POST", f"/api/v1/config/{own.id}/status", body={"version": 0, "state": "applied"}))
    until_429("POST", C + "/{id}/token", lambda: tight.ask("POST", f"{C}/{own.id}/token", certificate=own.certificate))
    until_429("POST", C + "/{id}/certificate", lambda: own.ask("POST", f"{C}/{own.id}/certificate", body={"csr": "x"}))
    until_429("POST", C + "/register", lambda: tight.ask("POST", C + "/register", [("X-Registration-Secret", "pge_x")], {}))
    until_429("GET", "/api/v1/ca", lambda: tight.ask("GET", "/api/v1/ca", certificate=own.certificate))
    until_429("GET", CONFIG, lambda: own.ask("GET", f"/api/v1/config/{own.id}"))
    for method, path in [("PUT", CONFIG), ("GET", C), ("GET", C + "/{id}"), ("DELETE", C + "/{id}"), ("GET", METRICS), ("GET", FAMILIES),
                         ("GET", FAMILIES + "/{name}"), ("GET", QUERY), ("GET", EVENTS), ("GET", "/api/v1/audit"),
                         ("GET", CONFIG + "/history"), ("POST", CONFIG + "/rollback")]:
        until_429(method, path, lambda: tight.with_key("admin", method, path.replace("{id}", NOBODY), body={} if method in ("PUT", "POST") else None))


def test_every_documented_status_was_seen(book):
    """503 is the database's absence, which tests/core/server/api/outage_test.cpp brings about; 409 a push that meets another of its
    number, which push_test.cpp does by holding the number's lock; 422 sizes that take too long (families_test.cpp)."""
    documented = {(method, path, status) for (method, path), operation in OPERATIONS.items() for status in operation["responses"]}
    elsewhere = {entry for entry in documented if entry[2] in ("503", "default")} | {("POST", "/api/v1/metrics/push", "409"), ("GET", FAMILIES, "422")}
    assert documented - book.seen - elsewhere == set()


@pytest.mark.parametrize("path", OPENAPI["paths"])
def test_the_server_takes_these_methods_and_no_others(site, path):
    documented = {method for method, known in OPERATIONS if known == path}
    target = path.replace("{id}", NOBODY)
    for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"):
        answer = site.ask(method, target, [("Content-Type", "application/json")])
        assert (answer.status == 405) == (method not in documented), (method, answer)
        if answer.status == 405:
            assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == documented


def test_the_server_has_no_other_route():
    with open(os.path.join(DOCS, "..", "core", "server", "api", "routes.cpp")) as source:
        served = set(re.findall(r'Route\{"([A-Z]+)",\s+"([^"]+)"', source.read()))
    assert set(OPERATIONS) == served


def test_words_name_every_route_and_every_code():
    for _, path in OPERATIONS:
        assert path.removeprefix("/api/v1/collectors") in WORDS and ("`" in WORDS), path
    root = os.path.join(DOCS, "..", "core", "server")
    codes = set()
    for folder, _, files in os.walk(root):
        for name in files:
            if name.endswith(".cpp"):
                with open(os.path.join(folder, name)) as source:
                    codes |= set(re.findall(r'(?:Response::error\(\d+, |malformed\(|bad_request\(|wait_s, )"([a-z_]+)"', source.read()))
    assert len(codes) > 30
    assert {code for code in codes if f"`{code}`" not in WORDS} == set()


def test_the_document_is_sound():
    """Every reference resolves, every operation has a name of its own, tags and default answers are there."""
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in OPENAPI["tags"]}
    for operation in OPERATIONS.values():
        assert set(operation["tags"]) <= tags and "default" in operation["responses"]

    def walk(node):
        if isinstance(node, dict):
            resolved(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(OPENAPI)
    for schema in OPENAPI["components"]["schemas"].values():
        jsonschema.Draft4Validator.check_schema(as_json_schema(schema, strict=True))
