"""Every route with every kind of caller. This table is written by hand, away from the server's own (core/server/api/routes.cpp): a change of rules shows here, and a
route that is not in it fails the last test."""

import base64
import hashlib
import os
import re
import time

import pytest

from site_of_abuse import DOCUMENT, NOBODY, csr_of, new_key
from tokens import Mint

# Callers, each as (headers, certificate) of the cast.
CALLERS = {
    "nobody": lambda c: ([], None),
    "garbage": lambda c: ([("Authorization", "Bearer garbage")], None),
    "unknown key": lambda c: ([("Authorization", "Bearer " + c["unknown key"])], None),
    "viewer": lambda c: ([("Authorization", "Bearer " + c["site"].key("viewer"))], None),
    "operator": lambda c: ([("Authorization", "Bearer " + c["site"].key("operator"))], None),
    "admin": lambda c: ([("Authorization", "Bearer " + c["site"].key("admin"))], None),
    "own": lambda c: ([c["own"].bearer], c["own"].certificate),
    "own certificate": lambda c: ([], c["own"].certificate),
    "own token": lambda c: ([c["own"].bearer], None),
    "own, expired token": lambda c: ([("Authorization", "Bearer " + c["expired"])], c["own"].certificate),
    "other": lambda c: ([c["other"].bearer], c["other"].certificate),
    "other certificate": lambda c: ([], c["other"].certificate),
    "own token, other certificate": lambda c: ([c["own"].bearer], c["other"].certificate),
    "other token, own certificate": lambda c: ([c["other"].bearer], c["own"].certificate),
    "revoked": lambda c: ([c["revoked"].bearer], c["revoked"].certificate),
    "revoked certificate": lambda c: ([], c["revoked"].certificate),
    "admin on a revoked certificate": lambda c: ([("Authorization", "Bearer " + c["site"].key("admin"))], c["revoked"].certificate),
    "superseded": lambda c: ([c["superseded"].bearer], c["superseded"].certificate),
    "superseded certificate": lambda c: ([], c["superseded"].certificate),
    "expired certificate": lambda c: ([], c["late certificate"]),
    "expired certificate, its token": lambda c: ([c["late"].bearer], c["late certificate"]),
    "admin on an expired certificate": lambda c: ([("Authorization", "Bearer " + c["site"].key("admin"))], c["late certificate"]),
    "registration token": lambda c: ([("X-Registration-Secret", c["registration token"])], None),
}


def everyone(status, **others):
    return {name: others.get(name.replace(" ", "_").replace(",", ""), status) for name in CALLERS}


def keys_read(status=200):
    """What people's keys of any role may do and collectors may not."""
    return everyone(401, viewer=status, operator=status, admin=status, admin_on_a_revoked_certificate=status,
                    admin_on_an_expired_certificate=status, own=403, other=403, revoked=403, revoked_certificate=403, superseded=403)


def admins(status, **others):
    return everyone(401, viewer=403, operator=403, admin=status, admin_on_a_revoked_certificate=status, own=403, other=403, revoked=403,
                    revoked_certificate=403, superseded=403, admin_on_an_expired_certificate=status, **others)


def operators(status):
    return {**admins(status), "operator": status}


def own_token(status, other=403, **others):
    return everyone(401, viewer=403, operator=403, admin=403, admin_on_a_revoked_certificate=403, own=status, other=other, revoked=403,
                    revoked_certificate=403, superseded=403, admin_on_an_expired_certificate=403, **others)


# (method, path, body, status of each caller). {id}: the collector "own".
ROUTES = [
    ("GET", "/api/v1/health", None, everyone(200)),
    ("GET", "/api/v1/health/details", None, keys_read()),
    ("POST", "/api/v1/collectors/register", {"name": "n", "hostname": "h", "csr": "none"}, everyone(401, registration_token=400)),
    ("POST", "/api/v1/collectors/{id}/token", None,
     everyone(401, own=200, own_certificate=200, own_expired_token=200, other=403, other_certificate=403, own_token_other_certificate=403,
              other_token_own_certificate=200, revoked=403, revoked_certificate=403, admin_on_a_revoked_certificate=403, superseded=403,
              superseded_certificate=403)),
    ("POST", "/api/v1/collectors/{id}/certificate", {"csr": "none"}, own_token(400, expired_certificate=403)),
    # Any collector's certificate, and what comes beside it does not matter.
    ("GET", "/api/v1/ca", None,
     everyone(401, own=200, own_certificate=200, own_expired_token=200, other=200, other_certificate=200, own_token_other_certificate=200,
              other_token_own_certificate=200, revoked=403, revoked_certificate=403, admin_on_a_revoked_certificate=403, superseded=403,
              superseded_certificate=403)),
    ("POST", "/api/v1/metrics/push", DOCUMENT, own_token(200, other=200)),
    ("PUT", "/api/v1/schemas/{sha256}", {"type": "object"}, own_token(400, other=400)),
    ("GET", "/api/v1/config/{id}", None,
     everyone(401, viewer=403, operator=403, admin=200, admin_on_a_revoked_certificate=200, admin_on_an_expired_certificate=200, own=200, other=403, revoked=403,
              revoked_certificate=403, superseded=403)),
    ("PUT", "/api/v1/config/{id}", {"retention_days": 7}, admins(200)),
    ("GET", "/api/v1/config/{id}/history", None, operators(200)),
    ("POST", "/api/v1/config/{id}/rollback", {"version": 0}, admins(200)),
    ("POST", "/api/v1/config/{id}/status", {"version": 1, "state": "applied"}, own_token(204)),
    ("GET", "/api/v1/collectors", None, keys_read()),
    ("GET", "/api/v1/collectors/{id}", None, keys_read()),
    ("DELETE", "/api/v1/collectors/{victim}", None, admins(204)),
    ("GET", "/api/v1/servers/{id}/metrics", None, keys_read()),
    ("GET", "/api/v1/families", None, keys_read()),
    ("GET", "/api/v1/families/{name}", None, keys_read(404)),
    ("GET", "/api/v1/query", None, keys_read(400)),
    ("GET", "/api/v1/events", None, keys_read()),
    ("GET", "/api/v1/audit", None, operators(200)),
]


@pytest.fixture(scope="module")
def cast(site):
    own, other, revoked, victim = site.enrol("own"), site.enrol("other"), site.enrol("revoked"), site.enrol("victim")
    assert site.with_key("admin", "DELETE", f"/api/v1/collectors/{revoked.id}").status == 204
    superseded, late = site.enrol("superseded"), site.enrol("late")
    assert superseded.renewed().push().status == 200
    mint = Mint(os.path.join(site.server.data_dir, "jwt.key"), own.token)
    past = int(time.time()) - 3600
    key = site.key("viewer")
    return {"site": site, "own": own, "other": other, "revoked": revoked, "victim": victim, "superseded": superseded, "late": late,
            "late certificate": late.expired(), "registration token": site.registration_token(),
            "expired": mint.with_claims(iat=past, nbf=past, exp=past + 900), "unknown key": unknown_key(key)}


def unknown_key(key):
    """A key that nobody was given, its checksum right: base32 of a hash's beginning (core/server/auth/secret_text.h)."""
    random = "pga_" + "abcdefghijklmnopqrstuvwxyz234567"
    bits = int.from_bytes(hashlib.sha256(random.encode()).digest()[:4], "big") >> 2
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    checksum = "".join(alphabet[(bits >> shift) & 31] for shift in range(25, -1, -5))
    return random + checksum if len(random + checksum) == len(key) else base64.b32encode(b"?" * 20).decode().lower()


CASES = [(method, path, body, caller, status) for method, path, body, statuses in ROUTES for caller, status in statuses.items()]


@pytest.mark.parametrize("method,path,body,caller,status", CASES, ids=[f"{m} {p} {c}" for m, p, _, c, _ in CASES])
def test_route(cast, method, path, body, caller, status):
    headers, certificate = CALLERS[caller](cast)
    target = path.replace("{id}", cast["own"].id).replace("{victim}", cast["victim"].id)
    answer = cast["site"].ask(method, target, headers, body, certificate)
    assert answer.status == status, answer
    if answer.status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    if answer.status >= 400:
        assert answer.code and answer.headers["content-type"] == "application/json"
    if caller.startswith("revoked") and status == 403:
        assert answer.code == "collector_revoked" and answer.headers.get("connection") == "close"


@pytest.mark.parametrize("method,path,body", [(m, p, b) for m, p, b, _ in ROUTES if "{victim}" not in p and "/health" not in p])
def test_what_an_old_certificate_may_for_itself(cast, method, path, body):
    """One that was replaced: nothing, and is told why. One that is over: renew itself, by itself alone."""
    old, late = cast["superseded"], cast["late"]
    answer = cast["site"].ask(method, path.replace("{id}", old.id), [old.bearer], body, old.certificate)
    by_people = path.split("/")[3] in ("servers", "families", "query", "events", "audit") or path.split("/")[-1] in ("history", "rollback") or path.endswith("/collectors") or path.endswith("/{id}") and "config" not in path or method == "PUT" and "schemas" not in path
    if path.endswith("/register"):
        assert answer.status == 401, answer
    else:
        assert answer.status == 403 and answer.code == ("forbidden" if by_people else "certificate_superseded"), answer
    answer = cast["site"].ask(method, path.replace("{id}", late.id), [], body, cast["late certificate"])
    assert answer.status == (400 if path.endswith("/certificate") else 401), answer  # 400: let in, and the request is none


@pytest.mark.parametrize("method,path,body", [(m, p, b) for m, p, b, _ in ROUTES if "{id}" in p], ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("caller", ["nobody", "own", "viewer", "admin"])
def test_a_collector_that_does_not_exist(cast, method, path, body, caller):
    """Its absence is told only to those who may know: 404 for people's keys on what they may see, 401 and 403 as for any other."""
    headers, certificate = CALLERS[caller](cast)
    answer = cast["site"].ask(method, path.replace("{id}", NOBODY), headers, body, certificate)
    known = {(m, p): s for m, p, _, s in ROUTES}[method, path][caller]
    assert answer.status == (403 if caller == "own" else 404 if known < 300 else known), answer


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "FOO"])
@pytest.mark.parametrize("path", ["/api/v1/metrics/push", "/api/v1/collectors", "/metrics", "/", "/api/v1/admin", "/api/v1/collectors/register"])
def test_methods_and_paths_that_nobody_serves(cast, method, path):
    """Deny by default: without credentials nothing but 401, 404, 405 and what HTTP itself refuses."""
    assert cast["site"].ask(method, path, body={} if method == "POST" else None).status in (400, 401, 404, 405)


def test_what_was_refused_left_nothing(cast):
    assert cast["revoked"].stored() == 0
    assert cast["own"].stored() == 1 and cast["other"].stored() == 1  # their own pushes, one each


def test_crossing_the_line_is_audited(cast):
    rows = cast["site"].audit("access.other_collector")
    assert {row["actor"] for row in rows} >= {"collector:" + cast[name].id for name in ("other", "own", "late")}
    assert all(row["address"] == "127.0.0.1" for row in rows)
    assert {row["subject"] for row in cast["site"].audit("collector.revoke")} >= {cast["revoked"].id, cast["victim"].id}


def test_this_table_has_every_route_of_the_server():
    source = os.path.join(os.path.dirname(__file__), "..", "..", "..", "core", "server", "api", "routes.cpp")
    with open(source) as file:
        served = set(re.findall(r'Route\{"([A-Z]+)",\s+"([^"]+)"', file.read()))
    assert {(method, path.replace("{victim}", "{id}")) for method, path, _, _ in ROUTES} == served


def test_enrolling_needs_nothing_but_the_token(cast):
    """Also on the connection of a revoked collector: the token is what counts."""
    site, key = cast["site"], new_key()
    answer = site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", site.registration_token())],
                      {"name": "again", "hostname": "again.example", "csr": csr_of(key)}, cast["revoked"].certificate)
    assert answer.status == 201
    assert answer.json["id"] != cast["revoked"].id
