"""H1 to H16: the server answers, but not what it should. Between it and the collector stands the front (network/front.py).

"asked" runs: the server never saw the push. "stored" runs: it has stored the push, and the collector was told something else; then it must come
again and be stored once. Every wait is held against the response table of docs/DELIVERY.md, in the collector's own time.
"""

import email.utils
import gzip
import json
import re
import time

from network.front import Do, Front, Request, Upstream, problem
from network.hurry import hurry
from rig import eventually
from scenario import scenario

HURRY = 20
QUIET = {"interval": "6s"}  # in a hurried collector's time
MEMORY_MIB = 160


def fronted(rig, factor=HURRY, **options):
    collector = rig.collector(**{**QUIET, **options})
    front = Front(rig.server, collector)
    rig.to_close.append(front.close)
    collector.url = front.url
    collector.configure()
    return front, hurry(collector, factor)


def settled(rig, front, collector, lost=0):
    """The front lets everything pass again. Exactly `lost` documents may be missing, counted."""
    rig.count("faults", sum(1 for attempt in front.attempts if attempt.told != 200 or attempt.stored != (attempt.told == 200)))
    front.script = None
    verdict = rig.settle(collector)
    counted = verdict.counted_lost
    assert (counted == lost if isinstance(lost, int) else lost(counted)), f"{counted} documents are counted as lost"
    return verdict


def first(times, do, kind="push", after=2):
    """A script: `do` for so many requests of a kind, after the first `after` of them have passed."""
    def script(request):
        return do if request.kind == kind and after < request.number <= after + times else None

    return script


def come_again(front, attempt):
    """The same batch later, byte for byte."""
    later = [other for other in front.of("push", attempt.key) if other.at > attempt.at]
    assert later, f"{attempt.key} did not come again"
    assert {other.digest for other in later} == {attempt.digest}, f"{attempt.key} came again with another body"


def pause_after(front, position, factor=HURRY):
    """How long, in the collector's time, from the push number `position` (from 0) to the next."""
    pushes = front.of("push")
    assert len(pushes) > position + 1, "no push came after it"
    return (pushes[position + 1].at - pushes[position].at) * factor


def peak_mib(collector):
    with open(f"/proc/{collector.process.pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


# --- H1 to H12, H16: statuses and bodies -------------------------------------------------------------------------------------

HTML = b"<html><head><title>Welcome</title></head><body>Please accept our terms to use this network.</body></html>"
AS_HTML = ("Content-Type: text/html",)
RETRY, HOLD, SIGNED_OUT, FORBIDDEN = 0, 110, 55, 270  # the least pause in seconds; a tenth less than the table's


def acknowledgement(key, **members):
    return json.dumps({"status": "success", "ack": key, "metrics_count": 1, "duplicate": False, "rejected": [], **members}).encode()


ANSWERS = {  # what is said, and the least pause before the next push
    "200-empty": (Do(200), RETRY), "200-portal": (Do(200, HTML, AS_HTML), RETRY), "200-no-ack": (Do(200, b'{"status":"success","metrics_count":3}'), RETRY),
    "200-another-ack": (Do(200, acknowledgement("0" * 32 + ".1")), RETRY), "200-ack-in-a-list": (Do(200, b"[" + acknowledgement("x") + b"]"), RETRY),
    "200-broken-json": (Do(200, b'{"status":"success","ack":"'), RETRY), "200-not-utf8": (Do(200, b'{"status":"\xff\xfe"}'), RETRY),
    "200-deep": (Do(200, b"[" * 200_000), RETRY), "200-null": (Do(200, b"null"), RETRY), "200-gzip-bomb": (Do(200, gzip.compress(bytes(60_000_000)), ("Content-Encoding: gzip",)), RETRY),
    "200-of-1-mib": (Do(200, b" " * (1 << 20)), RETRY), "200-of-4-mib": (Do(200, b" " * (4 << 20)), RETRY), "202-empty": (Do(202), RETRY), "204": (Do(204), RETRY), "206": (Do(206, b"{}"), RETRY),
    "301": (Do(301, b"", ("Location: http://127.0.0.1:9/",)), RETRY), "302-portal": (Do(302, HTML, ("Location: https://portal.example/", *AS_HTML)), RETRY),
    "304": (Do(304), RETRY), "307": (Do(307, b"", ("Location: https://127.0.0.1:9/",)), RETRY), "308-loop": (Do(308, b"", ("Location: /api/v1/metrics/push",)), RETRY),
    "401": (problem(401), SIGNED_OUT), "403": (problem(403), FORBIDDEN), "403-revoked": (problem(403, "collector_revoked"), FORBIDDEN),
    "404": (problem(404), HOLD), "405": (problem(405, headers=("Allow: GET",)), HOLD), "408": (problem(408), RETRY), "409": (problem(409, "in_progress", headers=("Retry-After: 1",)), 0.9),
    "409-of-another-kind": (problem(409), RETRY), "411": (problem(411), HOLD), "415": (problem(415), HOLD), "418": (problem(418), HOLD), "425": (problem(425), RETRY), "426": (problem(426), HOLD),
    "429": (problem(429), RETRY), "431": (problem(431), HOLD), "451": (problem(451), HOLD), "500": (problem(500), RETRY), "500-portal": (Do(500, HTML, AS_HTML), RETRY), "501": (problem(501), HOLD),
    "502-portal": (Do(502, HTML, AS_HTML), RETRY), "503": (problem(503), RETRY), "504": (Do(504), RETRY), "507": (problem(507), RETRY), "599": (Do(599), RETRY), "999": (Do(999), RETRY),
}
BATCHS_OWN = ("409",)  # other batches go on meanwhile: the pause is the batch's


@scenario(
    row="H1-H11 H16",
    expect="an answer that is no acknowledgement: kept, sent again byte for byte, after the pause of the table",
    runs={name: dict(answer=name) for name in ANSWERS} | {f"{name}-stored": dict(answer=name, stored=True) for name in ("200-portal", "200-no-ack", "302-portal", "401", "403", "404", "408", "409", "429",
                                                                                                                    "500", "503", "507", "200-of-4-mib")},
    short=["200-portal", "503-stored"],
)
def odd_answers(rig, answer, stored=False):
    do, pause_s = ANSWERS[answer]
    times = 1 if pause_s > 1 else 3
    if answer == "401":
        times = 2  # the first costs a new token and the same push at once
    front, collector = fronted(rig)
    front.script = first(times, Do(do.status, do.body, do.headers, forward=stored))
    collector.start()
    eventually(lambda: len(front.of("push")) > 2 + times, 120, f"it comes again, see {collector.log_path}")
    told = front.of("push")[2 : 2 + times]
    assert all(attempt.told == do.status and attempt.stored == stored for attempt in told)
    if answer not in BATCHS_OWN:
        paused_s = pause_after(front, 1 + times)
        assert paused_s >= pause_s, f"the next push came after {paused_s:.0f} s"
    if answer == "401":
        assert told[0].key == told[1].key and len(front.of("token")) >= 2, "a 401 costs one new token, and the push again"
    assert peak_mib(collector) < MEMORY_MIB
    settled(rig, front, collector)
    for attempt in told:
        come_again(front, attempt)


def endless_body(send):
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\n\r\n")
    for _ in range(4096):
        send(b" " * 65536)


def endless_chunks(send):
    send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100_000):
        send(b"400\r\n" + b"{" * 1024 + b"\r\n")


def endless_headers(send):
    send(b"HTTP/1.1 200 OK\r\n")
    for number in range(1_000_000):
        send(b"X-%d: %s\r\n" % (number, b"y" * 500))


def endless_line(send):
    for _ in range(4096):
        send(b"HTTP/1.1 200 " + b"O" * 65536)


def continue_for_ever(send):
    for _ in range(100_000):
        send(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)


def drip(send):
    send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(200):
        send(b" ")
        time.sleep(0.05)


RAW = {
    "garbage": b"\x00\x01\x02 nothing of HTTP \xff\xfe\r\n\r\n", "half-a-status-line": b"HTTP/1.1 2", "http-0-9": b"<html>hello</html>", "nothing": b"",
    "shorter-than-it-says": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}", "negative-length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 700\r\n\r\n{}", "broken-chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "http-3": b"HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", "zero-bytes-in-headers": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "endless-body": endless_body, "endless-chunks": endless_chunks, "endless-headers": endless_headers, "endless-line": endless_line, "continue-for-ever": continue_for_ever, "a-byte-now-and-then": drip,
}


@scenario(row="H12", expect="what is no answer is none, and is not read for ever", runs={name: dict(answer=name) for name in RAW} | {f"{name}-stored": dict(answer=name, stored=True) for name in ("nothing", "endless-body")},
          short=["endless-headers"])
def no_answers(rig, answer, stored=False):
    front, collector = fronted(rig)
    front.script = first(3, Do(raw=RAW[answer], forward=stored))
    collector.start()
    eventually(lambda: len(front.of("push")) > 6, 120, f"it comes again and again, see {collector.log_path}")
    assert peak_mib(collector) < MEMORY_MIB
    told = front.of("push")[2:5]
    settled(rig, front, collector)
    for attempt in told:
        come_again(front, attempt)


# --- the calls around pushing -----------------------------------------------------------------------------------------------

ELSEWHERE = {"portal": Do(200, HTML, AS_HTML), "garbage": Do(raw=b"\x00garbage"), "401": problem(401), "403": problem(403), "404": problem(404), "500": problem(500), "503": problem(503, headers=("Retry-After: 2",)),
             "redirect": Do(302, b"", ("Location: http://127.0.0.1:9/",)), "endless": Do(raw=endless_body), "no-token": Do(200, b'{"token":"","expires_at":"2030-01-01T00:00:00Z"}'),
             "token-of-another-form": Do(200, json.dumps({"token": "a\r\nX: y", "expires_at": "2030-01-01T00:00:00Z"}).encode()), "expired-token": Do(200, b'{"token":"abc","expires_at":"1999-01-01T00:00:00Z"}')}


@scenario(
    row="H4",
    expect="no token, no push, nothing lost",
    runs={name: dict(kind="token", answer=name) for name in ELSEWHERE} | {f"config-{name}": dict(kind="config", answer=name) for name in ("portal", "garbage", "403", "404", "503", "endless")},
)
def other_calls(rig, kind, answer):
    front, collector = fronted(rig)
    front.script = first(2, ELSEWHERE[answer], kind, after=0)
    collector.start()
    eventually(lambda: front.counts.get(kind, 0) >= 2, 120, f"it asks again, see {collector.log_path}")
    assert collector.running
    settled(rig, front, collector)


@scenario(row="H8", expect="deleted there: nothing is pushed any more, all of it waits, and it goes on when the server answers for it again", runs={"410": {}}, short=["410"])
def gone(rig):
    front, collector = fronted(rig, collector='config_pull_interval = "60s"\n')
    front.script = lambda request: problem(410) if request.kind == "push" and request.number == 3 else problem(503) if request.kind == "config" and len(front.of("push")) == 3 else None
    collector.start()
    eventually(lambda: len(front.of("push")) == 3, 120, f"a push is answered 410, see {collector.log_path}")
    asked = len(front.of("config"))
    eventually(lambda: len(front.of("config")) >= asked + 3 and (collector.waiting() or 0) > 3, 120, f"it asks for its configuration and keeps what it makes, see {collector.log_path}")
    assert len(front.of("push")) == 3, "it went on pushing"
    told = front.of("push")[2]
    settled(rig, front, collector)
    come_again(front, told)


# --- H13: Retry-After ---------------------------------------------------------------------------------------------------------


def dated(seconds):
    """A Retry-After of that many seconds from its own Date, which is years off: only the difference counts."""
    base = 1_900_000_000
    return (f"Date: {email.utils.formatdate(base, usegmt=True)}", f"Retry-After: {email.utils.formatdate(base + seconds, usegmt=True)}")


WAITED_S = 150  # at most; 50 minutes for a collector that lives 20 times as fast, and 5 hours for one that does so 120 times
WAITS = {  # headers, the least pause in seconds, how fast the collector lives
    "0": (("Retry-After: 0",), 0, HURRY), "7": (("Retry-After: 7",), 7, HURRY), "60": (("Retry-After: 60",), 60, HURRY), "minus-1": (("Retry-After: -1",), 0, HURRY),
    "a-billion": (("Retry-After: 1000000000",), 3600, 120), "more-than-64-bits": (("Retry-After: 99999999999999999999999",), 0, 120), "junk": (("Retry-After: soon",), 0, HURRY),
    "empty": (("Retry-After:",), 0, HURRY), "fraction": (("Retry-After: 1.5",), 0, HURRY), "past-date": (dated(-3600), 0, HURRY), "future-date": (dated(45), 45, HURRY),
    "date-in-10-years": (dated(315_000_000), 3600, 120), "broken-date": (("Retry-After: Sun, 99 Foo 2026 25:61:61 GMT",), 0, HURRY), "twice": (("Retry-After: 5", "Retry-After: 40"), 0, HURRY),
}


@scenario(row="H13", expect="Retry-After is kept to between a second and an hour, and what is none is not believed",
          runs={f"{status}-{name}": dict(status=status, wait=name) for name in WAITS for status in (503, 429) if status == 503 or name in ("0", "60", "a-billion", "future-date")}, short=["503-7"])
def retry_after(rig, status, wait):
    headers, least_s, factor = WAITS[wait]
    front, collector = fronted(rig, factor, interval="60s" if factor > HURRY else QUIET["interval"])
    front.script = first(1, problem(status, headers=headers))
    collector.start()
    eventually(lambda: len(front.of("push")) > 3, WAITED_S, f"it comes again, see {collector.log_path}", every=0.02)
    paused_s = pause_after(front, 2, factor)
    assert paused_s >= least_s * 0.98, f"the next push came after {paused_s:.0f} s"
    settled(rig, front, collector)


# --- H14: poison --------------------------------------------------------------------------------------------------------------


class Poison:
    """A script that refuses the batches which `choose(how many batches were new so far)` picks, for as long as it is there."""

    def __init__(self, choose, do):
        self.choose, self.do, self.seen, self.chosen = choose, do, [], []

    def __call__(self, request):
        if request.kind != "push":
            return None
        whole = request.key.split("/")[0]
        if whole not in self.seen:
            self.seen.append(whole)
            if self.choose(len(self.seen)):
                self.chosen.append(whole)
        return self.do if whole in self.chosen else None


def set_aside(collector, reason="poison"):
    return len(re.findall(f"is set aside as {reason}", collector.log()))


REFUSALS = {"400": problem(400), "422": problem(422), "400-portal": Do(400, HTML, AS_HTML)}


@scenario(row="H14", expect="a batch that is refused twice, a minute apart, is set aside and counted; the others go on",
          runs={name: dict(refusal=name) for name in REFUSALS} | {"now-and-then": dict(refusal="400", choose=(4, 8, 12)), "three-in-a-row": dict(refusal="422", choose=(4, 5, 6)),
                                                                  "killed-meanwhile": dict(refusal="400", killed=True)}, short=["400"])
def poison(rig, refusal, choose=(4,), killed=False):
    front, collector = fronted(rig, documents=1)
    front.script = script = Poison(lambda number: number in choose, REFUSALS[refusal])
    collector.start()
    if killed:
        eventually(lambda: script.chosen, 60, "a batch is refused")
        rig.kill(collector)
        collector.start()
    eventually(lambda: set_aside(collector) >= len(choose), 150, f"{len(choose)} batches set aside, see {collector.log_path}")
    for key in script.chosen:
        tries = front.of("push", key)
        assert len(tries) >= 2 and (killed or (tries[1].at - tries[0].at) * HURRY >= 58), f"{key} was tried {len(tries)} times"
    if len(choose) == 1 and not killed:
        assert len(front.of("push", script.chosen[0])) == 2
    settled(rig, front, collector, lost=len(choose))


@scenario(row="H14", expect="a server that refuses everything is at fault itself: nothing is set aside", runs={"400": dict(refusal="400"), "422": dict(refusal="422"), "413": dict(refusal="413")})
def all_poison(rig, refusal):
    front, collector = fronted(rig, documents=1)
    do = problem(413, "body_too_large", max_bytes=1) if refusal == "413" else REFUSALS[refusal]
    front.script = Poison(lambda number: number > 3, do)
    collector.start()
    eventually(lambda: "refusing every batch" in collector.log(), 120, f"it says so, see {collector.log_path}")
    time.sleep(6)  # two minutes of its time: second tries come round
    settled(rig, front, collector, lost=lambda counted: counted <= 2)


# --- key conflicts: the clone's case, told by the server --------------------------------------------------------------------


class Twin:
    """A script that gives the server other content under some keys just before the collector comes with its own: what a clone does."""

    def __init__(self, front, numbers):
        self.front, self.numbers, self.keys = front, numbers, []

    def __call__(self, request):
        if request.kind != "push" or request.number not in self.numbers:
            return None
        epoch, _, seq = request.key.partition(".")
        document = {"type": "acme_twin", "timestamp": "2026-01-02T03:04:05.000Z", "value": request.number}
        body = json.dumps({"collector_id": self.front.collector.id, "hostname": "twin", "version": "0", "epoch": epoch, "seq": int(seq), "metrics": [document]}).encode()
        headers = {**{name: value for name, value in request.headers.items() if name != "content-encoding"}, "content-length": str(len(body))}
        upstream = Upstream(self.front.server, self.front.collector)
        status, _, _ = upstream.ask(Request("push", "POST", request.target, headers, body))
        upstream.close()
        if status == 200:
            self.keys.append(request.key)
        return None


@scenario(row="S18", expect="the server has other content under this key: the batch is sealed again in a new epoch, and nothing is lost",
          runs={"once": dict(numbers=(3,)), "now-and-then": dict(numbers=(3, 7, 12)), "in-a-row": dict(numbers=(3, 4, 5))})
def key_conflict(rig, numbers):
    front, collector = fronted(rig)
    front.script = script = Twin(front, numbers)
    collector.start()
    eventually(lambda: len(front.of("push")) > 3 + max(numbers), 150, f"it goes on, see {collector.log_path}")
    assert len(script.keys) == len(numbers)
    for key in script.keys:
        assert [attempt.told for attempt in front.of("push", key)] == [422], "a key that is taken is not tried again"
    assert len({attempt.key.split(".")[0] for attempt in front.of("push")}) == 1 + len(numbers)
    rig.count("faults", len(numbers))
    front.script = None
    verdict = rig.settle(collector, equation=False)  # the twin's documents are nobody's
    assert verdict.counted_lost == 0


# --- H15: 413 -------------------------------------------------------------------------------------------------------------------


def whole_and_large(request):
    return request.kind == "push" and "/" not in request.key and request.number < 12 and len(request.body) > 8000


def no_more_than(limit, code="body_too_large", told=True):
    def script(request):
        if request.kind != "push" or len(request.body) <= limit:
            return None
        return problem(413, code, **({"max_bytes": limit} if told else {}))

    return script


@scenario(
    row="H15",
    expect="too large: split until it fits, each part stored once",
    runs={"half": dict(limit=20_000), "quarter": dict(limit=10_000), "small": dict(limit=3000), "untold": dict(limit=8000, told=False), "inflated": dict(limit=8000, code="inflated_too_large", told=False),
          "killed-meanwhile": dict(limit=4000, kills=8), "stored-whole": dict(limit=0), "backlog": dict(limit=6000, documents=150)},
    short=["small"],
)
def too_large(rig, limit, code="body_too_large", told=True, kills=0, documents=60):
    """Documents that do not compress well enough: a batch has some thirty thousand bytes."""
    front, collector = fronted(rig, documents=documents, size=4000, interval="10s")
    if limit:
        front.script = no_more_than(limit, code, told)
    else:  # the server has the whole, and the collector is told that it is too large
        front.script = lambda request: Do(413, problem(413, "body_too_large").body, forward=True) if whole_and_large(request) else None
    collector.start()
    for _ in range(kills):
        pushed = len(front.of("push"))
        eventually(lambda: len(front.of("push")) > pushed + rig.random.randint(1, 6), 60, "pushes go on", every=0.01)
        rig.kill(collector)
        collector.start()
    eventually(lambda: any("/" in attempt.key and attempt.told == 200 for attempt in front.of("push")), 90, f"a part is stored, see {collector.log_path}")
    collector.wait_fresh(120)
    settled(rig, front, collector)


@scenario(row="H15", expect="one document alone that is too large is counted as lost, and only that one's batch", runs={"one-document": dict(documents=1), "every-document-of-a-batch": dict(documents=4)})
def too_large_alone(rig, documents):
    front, collector = fronted(rig, documents=documents)
    front.script = script = Poison(lambda number: number == 4, problem(413, "body_too_large", max_bytes=1024))
    collector.start()

    def lost():
        return script.chosen and set_aside(collector, "too_large") >= documents_of(front, script.chosen[0])

    eventually(lost, 150, f"its documents are set aside, see {collector.log_path}")
    settled(rig, front, collector, lost=lambda counted: 1 <= counted <= documents)


def documents_of(front, key):
    """How many single documents a batch was split into: parts that have no parts."""
    parts = {attempt.key for attempt in front.of("push") if attempt.key.split("/")[0] == key}
    return sum(1 for part in parts if not any(other.startswith(part + "/") for other in parts))
