"""N1 to N7: between a collector and its server lies the fault proxy (network/proxy.py).

Most collectors live ten times as fast (network/hurry.py): a backoff of a minute takes six seconds.
"""

import signal
import time

from network.hurry import hurry
from network.proxy import GOOD, Fault, FaultProxy
from rig import eventually
from scenario import scenario

HURRY = 10
INTERVAL = {"interval": "3s"}  # in a hurried collector's time


def proxied(rig, factor=HURRY, backlog=0, **options):
    """(proxy, collector) with its server behind the proxy; with `backlog` so many batches wait in its spool before the first connection."""
    proxy = FaultProxy(("127.0.0.1", rig.server.port), seed=rig.random.random())
    rig.to_close.append(proxy.close)
    collector = rig.collector(url=f"https://127.0.0.1:{proxy.port}", **{**(INTERVAL if factor > 1 else {}), **options})
    if factor > 1:
        hurry(collector, factor)
    if backlog:
        proxy.refuse()
        collector.start()
        eventually(lambda: (collector.waiting() or 0) >= backlog, 120, f"{backlog} batches wait, see {collector.log_path}")
        collector.stop()
        proxy.accept()
    return proxy, collector


def all_good(rig, proxy, *collectors):
    rig.count("faults", proxy.happened)
    proxy.accept()
    proxy.always(GOOD)
    proxy.drop()  # what was accepted on a bad way stays on it
    for collector in collectors:
        rig.settle(collector)


# --- N3, N4, N6: something happens at an exact place of a connection --------------------------------------------------------

PLACES = {  # (phase, bytes after its start)
    "connect": ("connect", (0, 0)), "hello": ("hello", (1, 300)), "handshaken": ("handshaken", (0, 0)), "headers": ("request", (1, 60)), "body": ("request", (700, 1500)),
    "after_commit": ("answer", (0, 0)), "answer": ("answer", (1, 200)),
}
ACTS = {"reset": PLACES, "cut": PLACES, "deaf": PLACES, "corrupt": {name: place for name, place in PLACES.items() if name in ("hello", "headers", "body", "answer")}}
EXCHANGES = (1, 8)  # of a connection: the token, the configuration, and the first pushes


@scenario(
    row="N3 N6",
    expect="whatever part of an exchange the connection dies in: sent again, stored once",
    runs={f"{act}-{place}": dict(act=act, place=place) for act, places in ACTS.items() for place in places},
    short=["reset-after_commit", "cut-answer"],
)
def broken_connections(rig, act, place, times=8):
    proxy, collector = proxied(rig)
    phase, (lowest, highest) = PLACES[place]
    first, last = EXCHANGES if phase in ("request", "answer") else (1, 1)
    if act == "deaf":
        times = 4  # each costs a timeout
    collector.start()

    def broken():
        """A connection that never comes to its fault's place (a shorter request) makes room for the next now and then."""
        if not proxy.pending:
            proxy.once(Fault(act=act, phase=phase, exchange=rig.random.randint(first, last), after_bytes=rig.random.randint(lowest, highest)))
        if rig.random.random() < 0.02:
            proxy.drop()
        return proxy.happened >= times

    eventually(broken, 120, f"{times} connections broke, see {collector.log_path}", every=0.1)
    assert collector.running
    all_good(rig, proxy, collector)


@scenario(
    row="N4",
    expect="a server that does not answer is noticed, and nothing is lost while it is deaf",
    runs={"stopped": dict(seconds=8), "stopped-again-and-again": dict(seconds=2, times=4), "stopped-with-a-backlog": dict(seconds=4, backlog=60)},
)
def stopped_server(rig, seconds, times=1, **options):
    proxy, collector = proxied(rig, **options)
    collector.start()
    for _ in range(times):
        collector.wait_fresh()
        rig.server.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)  # ten times as long for the collector: longer than its timeout
        finally:
            rig.server.process.send_signal(signal.SIGCONT)
        rig.count("faults")
    assert times > 1 or "is away" in collector.log(), collector.log()[-500:]
    all_good(rig, proxy, collector)


NOTICED_S = 30


@scenario(row="N4", expect=f"a server that is silent, behind a connection that stays open, is noticed within {NOTICED_S} s", runs={"stopped": dict(stopped=True), "deaf": dict(stopped=False)})
def silent_server(rig, stopped):
    """In the collector's true time: 10 s without a byte end a call."""
    proxy, collector = proxied(rig, factor=1, interval="300ms")
    if not stopped:
        proxy.always(Fault(act="deaf", phase="request", exchange=6))
    collector.start()
    collector.wait_fresh()
    if stopped:
        rig.server.process.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: stopped or proxy.happened, 60, "the connection is deaf", every=0.02)
        eventually(lambda: "is away" in collector.log(), NOTICED_S, f"it is noticed, see {collector.log_path}")
    finally:
        rig.server.process.send_signal(signal.SIGCONT)
    rig.count("faults")
    all_good(rig, proxy, collector)


@scenario(row="N4", expect="a FIN that never arrives holds nothing up", runs={"restarted-behind-it": {}})
def swallowed_fin(rig):
    proxy, collector = proxied(rig)
    proxy.always(Fault(swallow_fin=True))
    collector.start()
    collector.wait_fresh()
    rig.server.stop()
    rig.server.start()
    collector.wait_fresh()
    all_good(rig, proxy, collector)


# --- N2, N5: the whole way is bad ---------------------------------------------------------------------------------------------

WAYS = {
    "latency": Fault(latency_s=0.3), "long-latency": Fault(latency_s=1.2), "almost-too-long": Fault(latency_s=2.2), "jitter": Fault(latency_s=0.02, jitter_s=0.4), "narrow": Fault(bytes_per_second=4000, slice_bytes=200),
    "very-narrow": Fault(bytes_per_second=1000, slice_bytes=50), "one-byte-slices": Fault(slice_bytes=1), "seven-byte-slices": Fault(slice_bytes=7, jitter_s=0.01),
    "coalesced": Fault(coalesce_s=0.1), "all-of-it": Fault(latency_s=0.1, jitter_s=0.2, bytes_per_second=20000, slice_bytes=11, coalesce_s=0.02),
}


@scenario(row="N2 N5", expect="slow is slow: documents go on arriving, in the collector's own time", runs={name: dict(way=name) for name in WAYS} |
          {f"{name}-backlog": dict(way=name, backlog=40, interval="1s") for name in ("latency", "jitter", "narrow", "one-byte-slices")} |
          {f"{name}-large": dict(way=name, size=4000, interval="500ms") for name in ("latency", "one-byte-slices", "all-of-it")}, short=["one-byte-slices"])
def bad_way(rig, way, **options):
    proxy, collector = proxied(rig, factor=1, **{"interval": "300ms", **options})
    proxy.always(WAYS[way])
    collector.start()
    collector.wait_fresh(120)  # on this way
    rig.count("faults")
    all_good(rig, proxy, collector)


@scenario(row="N2", expect="a round trip of more than 5 s is no way: the handshake never ends in time, which it says; what waits goes when the way is better",
          runs={"5.6s-round-trip": dict(latency_s=2.8)})
def too_long_a_way(rig, latency_s):
    proxy, collector = proxied(rig, factor=1, interval="300ms")
    proxy.always(Fault(latency_s=latency_s))
    collector.start()
    eventually(lambda: "no TLS within" in collector.log() and (collector.waiting() or 0) > 3, 60, f"it says so and keeps what it has, see {collector.log_path}")
    assert collector.running and collector.count_stored() == 0
    rig.count("faults")
    all_good(rig, proxy, collector)


# --- N1: nobody is there --------------------------------------------------------------------------------------------------------


@scenario(
    row="N1",
    expect="an outage within the caps is bridged: all of it arrives, live data first",
    runs={"second": dict(seconds=1, factor=1), "ten-seconds": dict(seconds=10, factor=1), "minute": dict(seconds=6), "ten-minutes": dict(seconds=20, factor=30, interval="15s"),
          "hour": dict(seconds=30, factor=120, interval="60s"), "again-and-again": dict(seconds=1, times=8), "restarted-meanwhile": dict(seconds=4, times=2, restart=True)},
    short=["second"],
)
def nobody_there(rig, seconds, times=1, restart=False, **options):
    proxy, collector = proxied(rig, **options)
    collector.start()
    for _ in range(times):
        collector.wait_fresh()
        proxy.refuse()
        proxy.drop()
        rig.count("faults")
        time.sleep(seconds)  # the outage itself
        if restart:
            rig.kill(collector)
            collector.start()
        assert collector.running
        proxy.accept()
    all_good(rig, proxy, collector)


# --- all together -----------------------------------------------------------------------------------------------------------


def any_fault(chance):
    """One connection's luck, out of everything that the proxy can do."""
    luck = chance.random()
    if luck < 0.2:
        return GOOD
    way = {}
    if luck > 0.6:
        way = chance.choice([dict(latency_s=chance.uniform(0, 0.1)), dict(jitter_s=0.1), dict(slice_bytes=chance.randint(1, 40)), dict(coalesce_s=0.05), dict(swallow_fin=True)])
    act = chance.choice(["reset", "cut", "corrupt", "deaf" if chance.random() < 0.3 else "reset"])
    phase = chance.choice(["hello", "handshaken", "request", "answer", "answer"] + (["connect"] if act != "corrupt" else []))
    return Fault(act=act, phase=phase, exchange=chance.randint(1, 12), after_bytes=chance.choice([0, 1, 30, 200, 900]), **way)


@scenario(
    row="N3",
    expect="any mixture of it, for idle and busy collectors",
    runs={f"steady-{number}": {} for number in range(1, 7)} | {"idle": dict(interval="20s"), "backlog": dict(backlog=150), "large": dict(size=8000, documents=5), "many": dict(documents=60),
                                                              "with-kills": dict(kills=12)},
)
def weather(rig, seconds=15, kills=0, **options):
    proxy, first = proxied(rig, **options)
    others = [hurry(rig.collector(url=first.url, **{**INTERVAL, **{name: value for name, value in options.items() if name != "backlog"}}), HURRY) for _ in range(2)]
    collectors = [first, *others]
    for collector in collectors:
        collector.start()
    ends = time.monotonic() + seconds
    seen = proxy.connections
    proxy.once(*[any_fault(rig.random) for _ in range(50)])
    killed = 0
    while time.monotonic() < ends:
        time.sleep(0.05)
        if proxy.connections - seen > 25:
            seen = proxy.connections
            proxy.once(*[any_fault(rig.random) for _ in range(30)])
        chance = rig.random.random()
        if chance < 0.01:
            proxy.drop()
        elif chance < 0.015:
            proxy.refuse()
            time.sleep(rig.random.uniform(0, 0.5))
            proxy.accept()
        elif killed < kills and chance > 1 - 2 * kills / (seconds * 20):
            killed += 1
            victim = rig.random.choice(collectors)
            rig.kill(victim)
            victim.start()
    assert proxy.happened > 0
    all_good(rig, proxy, *collectors)
