"""Exactly once: the same push however often and however it is wrapped, and what is no repetition."""

import gzip
import json
import uuid

import pytest

from harness.zstd import compress as zstd
from site_of_abuse import DOCUMENT, csr_of, in_parallel, new_key


@pytest.fixture(scope="module")
def own(site):
    return site.enrol("idempotency")


@pytest.fixture
def epoch():
    return uuid.uuid4().hex


def envelope(epoch, seq, documents=(DOCUMENT,), **members):
    return json.dumps({"epoch": epoch, "seq": seq, "metrics": list(documents), **members}).encode()


def key(epoch, seq):
    return ("Idempotency-Key", f"{epoch}.{seq}")


# The second sending of a batch: (body of it, headers) from the first body; all are the same content.
REPEATS = {
    "as it was": lambda body: (body, []),
    "gzip": lambda body: (gzip.compress(body), [("Content-Encoding", "gzip")]),
    "gzip another level": lambda body: (gzip.compress(body, 1), [("Content-Encoding", "gzip")]),
    "zstd": lambda body: (zstd(body), [("Content-Encoding", "zstd")]),
    "zstd another level": lambda body: (zstd(body, 19), [("Content-Encoding", "zstd")]),
    "content type with a parameter": lambda body: (body, [("Content-Type", "application/json; charset=utf-8")]),
    "chunked": lambda body: (b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n", [("Transfer-Encoding", "chunked")]),
}


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("name", REPEATS)
def test_repeated(own, epoch, name, times):
    before = own.stored()
    body = envelope(epoch, 1)
    first = own.push(body, [key(epoch, 1)])
    assert first.status == 200 and first.json["duplicate"] is False and first.json["ack"] == f"{epoch}.1", first
    for _ in range(times):
        data, headers = REPEATS[name](body)
        again = own.push(data, [key(epoch, 1), *headers])
        assert again.status == 200 and again.json["duplicate"] is True and again.json["metrics_count"] == 1, again
    assert own.stored() == before + 1


# The same key with other content: from (epoch, seq) to the second body.
CONFLICTS = {
    "another value": lambda e: envelope(e, 1, [{**DOCUMENT, "value": 2}]),
    "another document more": lambda e: envelope(e, 1, [DOCUMENT, DOCUMENT]),
    "no document": lambda e: envelope(e, 1, []),
    "another host name": lambda e: envelope(e, 1, hostname="x"),
    "blanks": lambda e: envelope(e, 1).replace(b", ", b",  "),
    "a line break at the end": lambda e: envelope(e, 1) + b"\n",
    "members in another order": lambda e: json.dumps({"metrics": [DOCUMENT], "seq": 1, "epoch": e}).encode(),
    "a bare document": lambda e: json.dumps(DOCUMENT).encode(),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_conflicting(own, epoch, name):
    assert own.push(envelope(epoch, 1), [key(epoch, 1)]).status == 200
    stored = own.stored()
    answer = own.push(CONFLICTS[name](epoch), [key(epoch, 1)])
    assert answer.status == 422 and answer.code == "key_conflict", answer
    assert own.stored() == stored
    assert own.push(envelope(epoch, 1), [key(epoch, 1)]).json["duplicate"] is True  # the first one stands


# Keys that are none: (Idempotency-Key, epoch and seq of the envelope)
KEYS = {
    "no dot": lambda e: (e, None),
    "no number": lambda e: (e + ".", None),
    "seq 0": lambda e: (e + ".0", None),
    "seq negative": lambda e: (e + ".-1", None),
    "seq with a plus": lambda e: (e + ".+1", None),
    "seq with a leading zero": lambda e: (e + ".01", None),
    "seq hex": lambda e: (e + ".0x1", None),
    "seq float": lambda e: (e + ".1.5", None),
    "seq beyond 64 bits": lambda e: (e + ".18446744073709551616", None),
    "seq beyond signed 64 bits": lambda e: (e + ".9223372036854775808", None),
    "seq with a blank": lambda e: (e + ". 1", None),
    "epoch in capitals": lambda e: (e.upper().replace("0", "A") + ".1", None),
    "epoch of 31 digits": lambda e: (e[1:] + ".1", None),
    "epoch of 33 digits": lambda e: (e + "0.1", None),
    "epoch with a letter g": lambda e: ("g" + e[1:] + ".1", None),
    "epoch a UUID with dashes": lambda e: (str(uuid.UUID(e)) + ".1", None),
    "a quoted key": lambda e: ('"' + e + '.1"', None),
    "two keys": lambda e: (e + ".1, " + e + ".2", None),
    "another epoch than the envelope's": lambda e: (e + ".1", (uuid.uuid4().hex, 1)),
    "another seq than the envelope's": lambda e: (e + ".1", (e, 2)),
    "envelope's seq a text": lambda e: (e + ".1", (e, "1")),
    "envelope's seq a float": lambda e: (e + ".1", (e, 1.5)),
    "envelope's seq 0": lambda e: (e + ".1", (e, 0)),
    "envelope's epoch in capitals": lambda e: (e + ".1", (e.upper() + "X", 1)),
    "envelope's epoch null": lambda e: (e + ".1", (None, 1)),
}


@pytest.mark.parametrize("name", KEYS)
def test_key_that_is_none(own, epoch, name):
    before = own.stored()
    header, members = KEYS[name](epoch)
    body = json.dumps({"metrics": [DOCUMENT], **({"epoch": members[0], "seq": members[1]} if members else {})}).encode()
    answer = own.push(body, [("Idempotency-Key", header)])
    assert answer.status == 400 and answer.code, answer
    assert own.stored() == before


def test_key_twice(own, epoch):
    assert own.push(envelope(epoch, 1), [key(epoch, 1), key(epoch, 1)]).status == 400


def test_same_key_of_two_collectors_are_two_batches(site, own, epoch):
    other = site.enrol("idempotency2")
    assert own.push(envelope(epoch, 1), [key(epoch, 1)]).json["duplicate"] is False
    assert other.push(envelope(epoch, 1), [key(epoch, 1)]).json["duplicate"] is False


def test_without_a_key_nothing_is_compared(own):
    before = own.stored()
    for _ in range(3):
        answer = own.push()
        assert answer.json["duplicate"] is False and "ack" not in answer.json
    assert own.stored() == before + 3


def test_rejected_documents_are_named_again_and_stored_never(own, epoch):
    body = envelope(epoch, 1, [DOCUMENT, {"type": "Bad"}, 7])
    for duplicate in (False, True):
        answer = own.push(body, [key(epoch, 1)]).json
        assert answer["duplicate"] is duplicate and answer["metrics_count"] == 1
        assert [entry["index"] for entry in answer["rejected"]] == [1, 2]


def test_a_refused_push_does_not_use_the_key_up(own, epoch):
    assert own.push(b"{", [key(epoch, 1)]).status == 400
    assert own.push(envelope(epoch, 1), [key(epoch, 1)]).json["duplicate"] is False


# Enrolment: (changes of the second request, its status)
ENROLMENTS = {
    "the same request": ({}, 201),
    "another key pair": ({"csr": None}, 401),
    "another enrollment id": ({"enrollment_id": str(uuid.uuid4())}, 401),
    "no enrollment id": ({"enrollment_id": ...}, 401),
    "enrollment id in capitals": ({"enrollment_id": "upper"}, 201),
}


@pytest.mark.parametrize("name", ENROLMENTS)
def test_enrolment_repeated(site, name):
    changes, status = ENROLMENTS[name]
    token = site.registration_token()
    body = {"name": "n", "hostname": "h", "csr": csr_of(new_key()), "enrollment_id": str(uuid.uuid4())}
    ask = lambda request: site.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token)], request)  # noqa: E731
    first = ask(body)
    assert first.status == 201
    second = dict(body)
    for member, value in changes.items():
        if value is ...:
            del second[member]
        else:
            second[member] = csr_of(new_key()) if member == "csr" else body["enrollment_id"].upper() if value == "upper" else value
    again = ask(second)
    assert again.status == status, again
    if status == 201:
        assert again.json["id"] == first.json["id"]


@pytest.mark.parametrize("method,path", [("DELETE", "/api/v1/collectors/{}"), ("PUT", "/api/v1/config/{}")])
def test_changes_by_admins_repeated(site, method, path):
    collector = site.enrol("repeated")
    answers = [site.with_key("admin", method, path.format(collector.id), body={} if method == "PUT" else None) for _ in range(3)]
    assert {answer.status for answer in answers} <= {200, 204}
    if method == "PUT":
        assert [answer.json["version"] for answer in answers] == [1, 2, 3]


def test_many_at_once_are_one(own, epoch):
    before = own.stored()
    answers = in_parallel(16, lambda _: own.push(envelope(epoch, 1), [key(epoch, 1)]))
    assert {answer.status for answer in answers} <= {200, 409}
    assert sum(answer.status == 200 and not answer.json["duplicate"] for answer in answers) == 1
    assert own.stored() == before + 1
