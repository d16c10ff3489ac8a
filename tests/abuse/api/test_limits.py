"""Too much, too long, too deep, too fast, too slow, and bytes that two readers would read differently."""

import gzip
import json
import random
import socket
import subprocess
import threading
import time

import pytest

from harness.zstd import compress as zstd
from site_of_abuse import DOCUMENT, csr_of, in_parallel, new_key
from wire import request_bytes

GET = b"GET /api/v1/health HTTP/1.1\r\nHost: test\r\n"
POST = b"POST /api/v1/metrics/push HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
BODY = json.dumps(DOCUMENT).encode()


@pytest.fixture(scope="module")
def own(site):
    return site.enrol("limits")


# --- the header -------------------------------------------------------------------------------------------------------------------------------------------

HEADS = {
    "target of 4 KiB": (b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\nHost: test\r\n\r\n", 404),
    "target of 5 KiB": (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: test\r\n\r\n", 414),
    "target without end": (b"GET /" + b"a" * 100_000, 414),
    "query of 5 KiB": (b"GET /api/v1/health?a=" + b"b" * 5000 + b" HTTP/1.1\r\nHost: test\r\n\r\n", 414),
    "header of 8 KiB": (GET + b"X: " + b"a" * 8000 + b"\r\n\r\n", 200),
    "header of 9 KiB": (GET + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
    "header without end": (GET + b"X: " + b"a" * 100_000, 431),
    "fields without end": (GET + b"X: y\r\n" * 20_000, 431),
    "64 fields": (GET + b"".join(b"X%d: y\r\n" % i for i in range(63)) + b"\r\n", 200),
    "65 fields": (GET + b"".join(b"X%d: y\r\n" % i for i in range(64)) + b"\r\n", 431),
    "the same field 64 times": (GET + b"X: y\r\n" * 64 + b"\r\n", 431),
    "method of 5 KiB": (b"A" * 5000 + b" /api/v1/health HTTP/1.1\r\nHost: test\r\n\r\n", 405),
    "empty lines first": (b"\r\n\r\n" + GET + b"\r\n", 400),
    "HTTP/0.9": (b"GET /api/v1/health\r\n\r\n", 400),
    "HTTP/1.0": (b"GET /api/v1/health HTTP/1.0\r\n\r\n", 200),
    "HTTP/1.2": (b"GET /api/v1/health HTTP/1.2\r\nHost: test\r\n\r\n", 400),
    "HTTP/2.0": (b"GET /api/v1/health HTTP/2.0\r\nHost: test\r\n\r\n", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "http in small letters": (b"GET /api/v1/health http/1.1\r\nHost: test\r\n\r\n", 400),
    "two blanks": (b"GET  /api/v1/health HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    "a tab": (b"GET\t/api/v1/health\tHTTP/1.1\r\nHost: test\r\n\r\n", 400),
    "a blank in the target": (b"GET /api/v1/ health HTTP/1.1\r\nHost: test\r\n\r\n", 400),
    "rubbish": (bytes(range(1, 200)) + b"\r\n\r\n", 400),
    "zeros": (b"\0" * 1000, 400),
    "bare line feeds": (b"GET /api/v1/health HTTP/1.1\nHost: test\n\n", 400),
    "one bare line feed": (b"GET /api/v1/health HTTP/1.1\r\nHost: test\nX: y\r\n\r\n", 400),
    "bare carriage return": (b"GET /api/v1/health HTTP/1.1\r\nHost: test\rX: y\r\n\r\n", 400),
    "folded field": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "folded with a tab": (GET + b"X: a\r\n\tb\r\n\r\n", 400),
    "first field folded": (b"GET /api/v1/health HTTP/1.1\r\n Host: test\r\n\r\n", 400),
    "zero byte in a value": (GET + b"X: a\0b\r\n\r\n", 400),
    "escape in a value": (GET + b"X: \x1b[31m\r\n\r\n", 400),
    "delete in a value": (GET + b"X: \x7f\r\n\r\n", 400),
    "no colon": (GET + b"bad header\r\n\r\n", 400),
    "blank before the colon": (GET + b"X : y\r\n\r\n", 400),
    "empty name": (GET + b": y\r\n\r\n", 400),
    "no host": (b"GET /api/v1/health HTTP/1.1\r\n\r\n", 400),
    "empty host": (b"GET /api/v1/health HTTP/1.1\r\nHost:\r\n\r\n", 400),
    "two hosts": (GET + b"Host: test\r\n\r\n", 400),
    "expectation unknown": (GET + b"Expect: 200-ok\r\n\r\n", 417),
    "h2c upgrade": (GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n", 200),
    "websocket upgrade": (GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    "TLS inside TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", HEADS)
def test_header(site, name):
    data, status = HEADS[name]
    with site.connect() as connection:
        connection.send(data)
        answer = connection.answer()
        assert answer.status in (status if isinstance(status, tuple) else (status,)), answer
        if answer.status >= 400 and answer.status not in (404, 405):
            assert answer.code and answer.headers["connection"] == "close"
            assert connection.ended()


# --- framing: what follows a request must never become another one --------------------------------------------------------------------------------

SMUGGLED = b"GET /api/v1/smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FRAMINGS = {
    "length and chunked": b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked and length": CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
    "two equal lengths": b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "length list": b"Content-Length: 2, 2\r\n\r\n{}",
    "length with plus": b"Content-Length: +2\r\n\r\n{}",
    "length negative": b"Content-Length: -2\r\n\r\n{}",
    "length hex": b"Content-Length: 0x2\r\n\r\n{}",
    "length float": b"Content-Length: 2.0\r\n\r\n{}",
    "length with exponent": b"Content-Length: 2e0\r\n\r\n{}",
    "length empty": b"Content-Length:\r\n\r\n{}",
    "length with a blank inside": b"Content-Length: 2 2\r\n\r\n{}",
    "length beyond 64 bits": b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "length with a tab and rubbish": b"Content-Length: 2\tx\r\n\r\n{}",
    "length in Arabic digits": b"Content-Length: \xd9\xa2\r\n\r\n{}",
    "blank before the colon of length": b"Content-Length : 2\r\n\r\n{}",
    "chunked twice": CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked list": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "identity": b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with a parameter": b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "chunked quoted": b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunked with a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked folded": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "chunked with an underscore": b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked with a blank name": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunked empty": b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "chunk size hex prefix": CHUNKED + b"\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "chunk size negative": CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n",
    "chunk size plus": CHUNKED + b"\r\n+2\r\n{}\r\n0\r\n\r\n",
    "chunk size empty": CHUNKED + b"\r\n\r\n{}\r\n0\r\n\r\n",
    "chunk size with a blank before": CHUNKED + b"\r\n 2\r\n{}\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": CHUNKED + b"\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    "chunk size a word": CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"\r\n1\r\n{}\r\n0\r\n\r\n",
    "chunk without its end": CHUNKED + b"\r\n2\r\n{}0\r\n\r\n",
    "chunk with bare line feeds": CHUNKED + b"\r\n2\n{}\n0\n\n",
    "chunk extension": CHUNKED + b"\r\n2;a=\"\n\"\r\n{}\r\n0\r\n\r\n",
    "trailer with a length": CHUNKED + b"\r\n2\r\n{}\r\n0\r\nContent-Length: 50\r\n\r\n",
}
HARMLESS = {"trailer with a length", "chunk extension"}  # framed alike by every reader: the body is read, and is no document


@pytest.mark.parametrize("name", FRAMINGS)
def test_framing(site, own, name):
    """Whatever the framing: one answer, and the connection ends unless the request was well-formed; the smuggled request is never answered."""
    with site.connect(own.certificate) as connection:
        connection.send(POST + b"Authorization: Bearer " + own.token.encode() + b"\r\n" + FRAMINGS[name] + SMUGGLED)
        answer = connection.answer()
        assert answer.status == 400, answer
        if name not in HARMLESS or answer.code == "bad_request":
            assert answer.headers["connection"] == "close"
            assert connection.ended() and connection.buffer == b"", connection.buffer
    assert own.stored() == 0


def test_chunked_with_http_1_0(site, own):
    head = POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Authorization: Bearer " + own.token.encode() + b"\r\n"
    assert site.raw(head + CHUNKED + b"\r\n0\r\n\r\n", own.certificate).status == 400


def test_pipelined_requests_are_answered_in_order(site, own):
    with site.connect(own.certificate) as connection:
        paths = ["/api/v1/health", "/api/v1/nothing", f"/api/v1/config/{own.id}", "/api/v1/collectors"] * 10
        connection.send(b"".join(request_bytes("GET", path, [own.bearer]) for path in paths))
        assert [connection.answer().status for _ in paths] == [200, 404, 200, 403] * 10


def test_requests_behind_a_refused_body_are_not_read(site):
    with site.connect() as connection:
        connection.send(POST + b"Content-Length: 60\r\n\r\n" + SMUGGLED)
        assert connection.answer().status == 401
        assert connection.ended() and connection.buffer == b""


# --- the body ---------------------------------------------------------------------------------------------------------------------------------------------

def nested(depth, left="[", right="]"):
    return ('{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":' + left * depth + "1" + right * depth + "}").encode()


def large_document(size):
    """Of so many bytes, that shrink to less than half."""
    begin = b'{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":"'
    return begin + random.Random(1).randbytes(size)[: (size - len(begin) - 2) // 2].hex().encode().ljust(size - len(begin) - 2, b"0") + b'"}'


ZEROS = b'{"type":"acme_test","timestamp":"2026-01-02T03:04:05Z","v":"' + b"0" * 200_000_000 + b'"}'
BODIES = {
    "1 MiB and a byte": (lambda: (b" " * (1 << 20) + b"{", []), 413),
    "declared 1 GiB": (lambda: (b"", [("Content-Length", str(1 << 30))]), 413),
    "declared 2^63": (lambda: (b"", [("Content-Length", str(1 << 63))]), 413),
    "gzip bomb": (lambda: (gzip.compress(ZEROS), [("Content-Encoding", "gzip")]), 413),
    "zstd bomb": (lambda: (zstd(ZEROS), [("Content-Encoding", "zstd")]), 413),
    "zstd bomb of frames": (lambda: (zstd(b" " * 1_000_000) * 100, [("Content-Encoding", "zstd")]), 400),  # one frame is all there may be
    "gzip bomb of members": (lambda: (gzip.compress(b" " * 1_000_000) * 50, [("Content-Encoding", "gzip")]), (400, 413)),
    "ratio above 200": (lambda: (gzip.compress(b" " * 4_000_000), [("Content-Encoding", "gzip")]), 413),
    "gzip cut off": (lambda: (gzip.compress(BODY)[:-6], [("Content-Encoding", "gzip")]), 400),
    "gzip with rubbish behind": (lambda: (gzip.compress(BODY) + b"rubbish", [("Content-Encoding", "gzip")]), 400),
    "gzip with a wrong sum": (lambda: (gzip.compress(BODY)[:-8] + bytes(8), [("Content-Encoding", "gzip")]), 400),
    "gzip that is zstd": (lambda: (zstd(BODY), [("Content-Encoding", "gzip")]), 400),
    "zstd that is gzip": (lambda: (gzip.compress(BODY), [("Content-Encoding", "zstd")]), 400),
    "zstd cut off": (lambda: (zstd(BODY)[:-3], [("Content-Encoding", "zstd")]), 400),
    "zstd empty": (lambda: (b"", [("Content-Encoding", "zstd"), ("Content-Length", "0")]), 400),
    "zstd with a huge window": (lambda: (bytes.fromhex("28b52ffd00ff0300000100"), [("Content-Encoding", "zstd")]), 400),
    "plain that says gzip": (lambda: (BODY, [("Content-Encoding", "gzip")]), 400),
    "arrays 33 deep": (lambda: (nested(33), []), 400),
    "arrays 500,000 deep": (lambda: (nested(500_000), []), 400),
    "arrays 500,000 deep in gzip": (lambda: (gzip.compress(nested(500_000)), [("Content-Encoding", "gzip")]), (400, 413)),
    "objects 100,000 deep": (lambda: (nested(100_000, '{"a":', "}"), []), 400),
    "arrays never closed": (lambda: (b"[" * 900_000, []), 400),
    "a zero byte behind": (lambda: (BODY + b"\0", []), 400),
    "a zero byte and another body behind": (lambda: (BODY + b"\0" + BODY, []), 400),
    "a document of 1 MiB and a byte": (lambda: (gzip.compress(large_document((1 << 20) + 1)), [("Content-Encoding", "gzip")]), 400),
    "a name of 1 KiB and a byte": (lambda: (BODY[:-1] + b',"' + b"k" * 1025 + b'":1}', []), 400),
    "5,000 members": (lambda: (json.dumps({**DOCUMENT, **{f"k{i}": i for i in range(5000)}}).encode(), []), 400),
    "a number of 100,000 digits": (lambda: (BODY[:-1] + b',"n":' + b"9" * 100_000 + b"}", []), (200, 400)),
    "an exponent beyond": (lambda: (BODY[:-1] + b',"n":1e999999999}', []), (200, 400)),
    "5,001 documents": (lambda: (json.dumps({"metrics": [DOCUMENT] * 5001}).encode(), []), 413),
    "100,000 rejected documents": (lambda: (json.dumps({"metrics": [0] * 100_000}).encode(), []), 413),
    "no body": (lambda: (None, []), 411),
}


@pytest.mark.parametrize("name", BODIES)
def test_body(site, own, name):
    make, status = BODIES[name]
    body, headers = make()
    stored = own.stored()
    begin = time.monotonic()
    if body is None:
        answer = site.ask("POST", "/api/v1/metrics/push", [own.bearer, ("Content-Type", "application/json")], None, own.certificate)
    else:
        answer = own.push(body, headers)
    assert answer.status in (status if isinstance(status, tuple) else (status,)), answer
    assert time.monotonic() - begin < 20  # nothing is expanded or parsed for as long as it is large
    if answer.status == 413 and answer.code in ("body_too_large", "inflated_too_large"):
        assert answer.json["error"].get("max_bytes", 1 << 20) > 0
    if answer.status != 200:
        assert own.stored() == stored
    assert site.rss_mib() < 400


@pytest.mark.parametrize("method,path", [("PUT", "/api/v1/config/{}"), ("POST", "/api/v1/collectors/register"), ("POST", "/api/v1/config/{}/status")])
def test_small_routes_take_small_bodies(site, own, method, path):
    body = b'{"name":"' + b"x" * 70_000 + b'"}'
    if method == "PUT":
        answer = site.with_key("admin", method, path.format(own.id), body=body)
    else:
        answer = own.ask(method, path.format(own.id), [("X-Registration-Secret", site.registration_token())], body)
    assert answer.status == 413 and answer.json["error"]["max_bytes"] == 65536, answer


def test_expectation_is_answered_before_the_body(site, own):
    with site.connect(own.certificate) as connection:
        connection.send(request_bytes("POST", "/api/v1/metrics/push", [own.bearer, ("Expect", "100-continue"), ("Content-Type", "application/json"),
                                                                       ("Content-Length", str(len(BODY)))]))
        assert connection.answer().status == 100
        connection.send(BODY)
        assert connection.answer().status == 200
    with site.connect() as connection:
        connection.send(POST + b"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n")
        assert connection.answer().status == 401


# --- how often: a server whose limits are small -----------------------------------------------------------------------------------------------------------

SMALL = """[limits]
push_per_second = 1
push_burst = 5
token_per_minute = 3
enrol_per_minute = 6
enrol_failures = 3
enrol_lockout = "10s"
auth_failures_per_minute = 5
handshake_timeout = "1s"
header_timeout = "1s"
request_timeout = "60s"
stranger_timeout = "2s"
idle_timeout = "4s"
body_rate = "1KiB"
header_fields = 20
header_bytes = "2KiB"
target_bytes = "256"
body_bytes = "4KiB"
inflated_bytes = "16KiB"
"""
PATIENCE_S = 30


@pytest.fixture(scope="module")
def small(make_site):
    site = make_site(config=SMALL)
    site.members = [site.enrol(f"db{i}") for i in range(3)]
    yield site
    site.check_health()
    site.close()


def until_refused(ask, allowed, most=40):
    """ask() again and again; the answers up to the first 429, which are `allowed` at least: as slow as the machine is, rates go on."""
    answers = []
    while not answers or answers[-1].status != 429:
        assert len(answers) < most, answers
        answers.append(ask())
    assert len(answers) > len(allowed) and [answer.status for answer in answers[: len(allowed)]] == allowed, answers
    assert {answer.status for answer in answers[:-1]} <= set(allowed), answers
    return answers


def when_allowed(ask):
    """The first answer of ask() that is no 429, asked as often as Retry-After says."""
    deadline = time.monotonic() + 2 * PATIENCE_S
    while True:
        answer = ask()
        if answer.status != 429:
            return answer
        assert time.monotonic() < deadline, answer
        time.sleep(int(answer.headers["retry-after"]))


def test_push_rate(small):
    own, other = small.members[0], small.members[1]
    begin = time.monotonic()
    with small.connect(own.certificate) as connection:
        connection.send(request_bytes("POST", "/api/v1/metrics/push", [own.bearer], DOCUMENT) * 60)
        answers = until_refused(connection.answer, [200] * 5, 60)
        assert connection.ended()
    assert len(answers) - 1 <= 5 + 1 + (time.monotonic() - begin)  # the burst, and one a second
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    assert other.push().status == 200  # it is each collector's own
    assert when_allowed(own.push).status == 200
    assert own.stored() == len(answers)


def test_token_rate(small):
    own, other = small.members[0], small.members[1]
    path = "/api/v1/collectors/{}/token"
    answers = until_refused(lambda: small.ask("POST", path.format(own.id), certificate=own.certificate), [200] * 3)
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert small.ask("POST", path.format(other.id), certificate=other.certificate).status == 200


def test_certificate_rate(small):
    own = small.members[2]
    until_refused(lambda: own.ask("POST", f"/api/v1/collectors/{own.id}/certificate", body={"csr": "none"}), [400] * 3)


def test_failures_of_an_address_do_not_touch_collectors(small):
    bad = [("Authorization", "Bearer nonsense")]
    answers = until_refused(lambda: small.ask("GET", "/api/v1/collectors", bad, source="127.0.0.21"), [401] * 5)
    assert int(answers[-1].headers["retry-after"]) >= 1 and answers[-1].code == "too_many_failures"
    own = small.members[1]
    assert own.ask("GET", f"/api/v1/config/{own.id}", source="127.0.0.21").status == 200
    assert small.ask("GET", "/api/v1/collectors", [("Authorization", "Bearer " + small.key("viewer"))], source="127.0.0.22").status == 200
    assert small.ask("GET", "/api/v1/health", source="127.0.0.21").status == 200


def test_failures_of_a_collector_count_against_itself(small):
    own, other = small.members[2], small.members[1]
    bad = [("Authorization", "Bearer nonsense")]
    until_refused(lambda: small.ask("GET", f"/api/v1/config/{own.id}", bad, certificate=own.certificate), [401] * 5)
    assert other.ask("GET", f"/api/v1/config/{other.id}").status == 200


def enrol_with(site, token, source):
    body = {"name": "n", "hostname": "h", "csr": csr_of(new_key())}
    return site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token)], body, source=source)


def test_wrong_registration_tokens_lock_the_address_out(small):
    good = small.registration_token()
    answers = until_refused(lambda: enrol_with(small, "pge_wrong", "127.0.0.31"), [401] * 3)
    assert answers[-1].code == "locked_out" and len(answers) == 4
    locked = enrol_with(small, good, "127.0.0.31")
    assert locked.status == 429 and locked.code == "locked_out" and 1 <= int(locked.headers["retry-after"]) <= 10
    assert when_allowed(lambda: enrol_with(small, good, "127.0.0.31")).status == 201


def test_refusals_are_told(small):
    """What was refused is in the log once a minute, by name; here, that it left its trace in the audit log. Rows about refusals are at most two a second."""
    small.key("viewer")
    deadline = time.monotonic() + PATIENCE_S
    wanted, actions, address = {"collector.enrol", "collector.enrol_refused", "collector.enrol_locked_out", "token.create", "key.create"}, set(), 32
    while not wanted <= actions:
        assert time.monotonic() < deadline, actions
        until_refused(lambda: enrol_with(small, "pge_wrong", f"127.0.1.{address}"), [401] * 3)
        address += 1
        actions = {row["action"] for row in small.audit()}
    assert small.audit("collector.enrol_locked_out")[0]["address"].startswith("127.0.")
    assert small.audit("collector.enrol_refused")[0]["actor"].startswith("address:127.0.")
    assert small.server.cli("audit", "verify")["intact"] is True


def test_enrolment_rate_of_an_address(small):
    token = small.registration_token(uses=20)

    def enrol(source):
        return small.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token)], {"name": "", "hostname": "h"}, source=source)

    until_refused(lambda: enrol("127.0.0.41"), [400] * 6)
    assert enrol("127.0.0.42").status == 400


def test_read_rate_of_a_collector_and_of_a_key(make_site):
    site = make_site(config="[limits]\nread_per_second = 1\nread_burst = 5\n")
    own, other = site.enrol("own"), site.enrol("other")
    viewers = [("Authorization", "Bearer " + site.secret(site.server.cli("key", "create", "--role", "viewer")["key"])) for _ in range(2)]

    def many(path, header, certificate=None):
        with site.connect(certificate) as connection:
            connection.send(request_bytes("GET", path, [header]) * 60)
            return until_refused(connection.answer, [200] * 5, 60)

    assert many(f"/api/v1/config/{own.id}", own.bearer, own.certificate)[-1].code == "too_many_requests"
    many("/api/v1/collectors", viewers[0])
    many(f"/api/v1/servers/{own.id}/metrics", viewers[1])
    assert own.push().status == 200
    assert other.ask("GET", f"/api/v1/config/{other.id}").status == 200
    site.close()


# --- how many connections, and bodies on their way ----------------------------------------------------------------------------------------------------------

CROWDED = """[limits]
connections = 40
connections_per_address = 10
connections_per_collector = 6
requests = 4
stranger_bodies = 6
stranger_bodies_per_address = 4
request_timeout = "10m"
stranger_timeout = "10m"
idle_timeout = "10m"
"""


@pytest.fixture(scope="module")
def crowded(make_site):
    site = make_site(config=CROWDED)
    site.members = [site.enrol(f"db{i}") for i in range(2)]
    yield site
    site.check_health()
    site.close()


def connect_soon(site, *arguments, **options):
    """A connection, as soon as one of those before is gone."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return site.connect(*arguments, **options)
        except OSError:
            assert time.monotonic() < deadline


def close_all(held):
    for connection in held:
        connection.socket.close()


def test_strangers_of_an_address(crowded):
    """Ten connections that have not said who they are; those that have do not count."""
    own = crowded.members[1]
    held = []
    try:
        for _ in range(10):
            held.append(crowded.connect(source="127.0.0.51"))
        with pytest.raises((ConnectionError, OSError)):
            with crowded.connect(source="127.0.0.51") as more:
                more.send(GET + b"\r\n")
                more.answer()
        with crowded.connect(source="127.0.0.52") as elsewhere:
            elsewhere.send(GET + b"\r\n")
            assert elsewhere.answer().status == 200
        held.pop().socket.close()
        for _ in range(5):  # authenticated ones, one after another beside the nine strangers
            held.append(connect_soon(crowded, own.certificate, source="127.0.0.51"))
            held[-1].send(request_bytes("GET", f"/api/v1/config/{own.id}", [own.bearer]))
            assert held[-1].answer().status == 200
    finally:
        close_all(held)


def test_connections_of_a_collector(crowded):
    own, other = crowded.members
    held = []

    def ask(collector):
        held.append(connect_soon(crowded, collector.certificate))
        held[-1].send(request_bytes("GET", f"/api/v1/config/{collector.id}", [collector.bearer]))
        return held[-1].answer()

    try:
        assert [ask(own).status for _ in range(6)] == [200] * 6
        refused = ask(own)
        assert refused.status == 429 and refused.code == "too_many_connections" and held.pop().ended()
        assert ask(other).status == 200
        held[0].socket.close()
        deadline = time.monotonic() + PATIENCE_S
        while ask(own).status != 200:
            assert time.monotonic() < deadline
    finally:
        close_all(held)


def test_bodies_that_do_not_come(crowded):
    """More slow enrolments than the server has work slots, from several addresses, and pushes beside them."""
    own, token, held = crowded.members[0], crowded.registration_token(uses=50), []
    head = request_bytes("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token), ("Content-Type", "application/json"),
                                                                 ("Content-Length", "60000"), ("Expect", "100-continue")])
    try:
        statuses = []
        for i in range(12):
            held.append(connect_soon(crowded, source=f"127.0.0.{80 + i // 6}"))
            held[-1].send(head)
            statuses.append(held[-1].answer().status)
            held[-1].send(b"{")
        # Four of one address, six in all.
        assert statuses == [100] * 4 + [503] * 2 + [100] * 2 + [503] * 4
        assert [own.push().status for _ in range(5)] == [200] * 5
    finally:
        close_all(held)


def test_connections_in_all(crowded):
    held = []
    try:
        for i in range(4):
            for _ in range(10):
                held.append(crowded.connect(source=f"127.0.0.{61 + i}"))
    except OSError:
        pass  # one of before is not quite gone
    assert len(held) >= 30
    with pytest.raises(OSError):
        for _ in range(20):
            held.append(crowded.connect(source=f"127.0.0.{66 + len(held) % 10}"))
    close_all(held)


# --- how slowly -------------------------------------------------------------------------------------------------------------------------------------------------

class Clock:
    """Seconds since before a connection was made: what the server measures began later."""

    def __init__(self):
        self.begin = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.begin


def closes_after(connection, clock, seconds, status=None):
    """The server ends the connection by itself, not before its time."""
    if status:
        assert connection.answer().status == status
    assert connection.ended(PATIENCE_S)
    assert clock.seconds() >= seconds


def test_idle_strangers_are_let_go(small):
    clock = Clock()
    with small.connect(source="127.0.0.71") as connection:
        closes_after(connection, clock, 2)


def test_idle_members_stay_longer_and_not_for_ever(small):
    own, clock = small.members[1], Clock()
    with small.connect(own.certificate, source="127.0.0.72") as connection:
        connection.send(request_bytes("GET", f"/api/v1/config/{own.id}", [own.bearer]))
        assert connection.answer().status == 200
        closes_after(connection, clock, 4)


def test_half_a_header(small):
    clock = Clock()
    with small.connect(source="127.0.0.73") as connection:
        connection.send(b"GET /api/v1/hea")
        closes_after(connection, clock, 1, 408)


def test_a_header_letter_by_letter(small):
    with small.connect(source="127.0.0.74") as connection:
        for letter in GET + b"X: " + b"a" * 500:  # almost a minute
            try:
                connection.send(bytes([letter]))
            except OSError:
                break
            if connection.readable(0.1):
                assert connection.answer().status == 408
                break
        else:
            pytest.fail("the header could go on")


def test_half_a_handshake(small):
    with socket.create_connection(("127.0.0.1", small.port)) as plain:
        plain.send(b"\x16\x03\x01\x02\x00\x01")
        plain.settimeout(PATIENCE_S)
        assert plain.recv(100) == b""


def test_plain_http_is_no_tls(small):
    with socket.create_connection(("127.0.0.1", small.port)) as plain:
        plain.send(GET + b"\r\n")
        plain.settimeout(PATIENCE_S)
        try:
            data = plain.recv(1000)
        except ConnectionError:
            data = b""
        assert not data.startswith(b"HTTP/1.1 2")


def push_of(own, size):
    return request_bytes("POST", "/api/v1/metrics/push", [own.bearer, ("Content-Type", "application/json"), ("Content-Length", str(size))])


def test_a_body_that_trickles(small):
    """Below 1 KiB/s after the grace of five seconds, long before the request's own minute is over."""
    own, clock = small.members[1], Clock()
    with small.connect(own.certificate, source="127.0.0.75") as connection:
        connection.send(push_of(own, 4000))
        while not connection.readable(0.25):
            connection.send(b" ")
            assert clock.seconds() < PATIENCE_S
        assert connection.answer().status == 408 and clock.seconds() >= 5


def test_a_body_that_stops(small):
    own, clock = small.members[1], Clock()
    with small.connect(own.certificate, source="127.0.0.76") as connection:
        connection.send(push_of(own, 4000) + b"{")
        closes_after(connection, clock, 5, 408)


@pytest.mark.parametrize("what,status", [("target", 414), ("fields", 431), ("header", 431), ("body", 413), ("inflated", 413)])
def test_sizes_are_those_of_the_configuration(small, what, status):
    own = small.members[1]
    options = {
        "target": lambda: small.ask("GET", "/" + "a" * 300),
        "fields": lambda: small.ask("GET", "/", [(f"X{i}", "y") for i in range(20)]),
        "header": lambda: small.ask("GET", "/", [("X", "y" * 2048)]),
        "body": lambda: own.push(b"x" * 4097),
        "inflated": lambda: own.push(gzip.compress(b" " * 20_000), [("Content-Encoding", "gzip")]),
    }
    assert when_allowed(options[what]).status == status


def test_more_requests_than_the_server_takes(make_site):
    site = make_site(config="[limits]\nrequests = 2\nconnections_per_address = 1000\n")
    own = site.enrol("busy")
    # A lock on the table keeps requests at work until one is refused.
    held = subprocess.Popen(["psql", "-X", "-q", "-d", site.postgres.conninfo(site.database)], stdin=subprocess.PIPE, text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    refused = threading.Event()

    def push(i):
        answer = own.push({**DOCUMENT, "i": i})
        if answer.status == 503:
            refused.set()
        return answer

    def let_go():
        refused.wait(PATIENCE_S)
        held.stdin.write("commit;\n")
        held.stdin.close()

    try:
        held.stdin.write("begin; lock table pganalytics.documents in access exclusive mode;\n")
        held.stdin.flush()
        deadline = time.monotonic() + PATIENCE_S
        while site.postgres.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'pganalytics.documents'::regclass",
                      site.database) != "1":
            assert time.monotonic() < deadline
        letting_go = threading.Thread(target=let_go)
        letting_go.start()
        answers = in_parallel(12, push)
        letting_go.join()
    finally:
        if not held.stdin.closed:
            held.stdin.close()
        held.wait()
    told = [answer for answer in answers if answer.status == 503]
    assert told and all(answer.code == "overloaded" and answer.headers["retry-after"] == "1" for answer in told)
    assert own.stored() == sum(answer.status == 200 for answer in answers) <= 12 - len(told)
    assert own.push().status == 200
    site.close()
