"""C1, C2, N1, S16: the wall clock jumps, drifts and runs through days (libfaketime). Ticks, timers and tokens go by a clock that does not
jump; documents say what the wall clock said. Clocks that disagree, and what is over after a sleep: skews.py."""

import glob
import os
import signal
import time

import oracle
from rig import AWAY, PATIENCE_S, eventually
from scenario import scenario

HOUR = 3600
YEAR = 365 * 24 * HOUR


def library():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    assert found, "the package faketime is not installed"
    return found[0]


class Clock:
    """The wall clock of one collector or server, from its next start on: an offset in seconds and a speed, changed while it runs. CLOCK_MONOTONIC and
    CLOCK_BOOTTIME stay true, or as fast as another preloaded library has them."""

    def __init__(self, program, name=None):
        self.path = os.path.join(program.folder, f"{name or program.name}.clock")
        self.offset_s = 0
        self.set(0)
        preload = " ".join(filter(None, [library(), program.environment.get("LD_PRELOAD")]))
        program.environment = {**program.environment, "LD_PRELOAD": preload, "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
                               "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}
        self.collector = program

    def set(self, offset_s, speed=None):
        self.offset_s = offset_s
        with open(self.path + ".new", "w") as file:
            file.write(f"{offset_s:+.3f}" + (f" x{speed}" if speed else "") + "\n")
        os.replace(self.path + ".new", self.path)

    def true_again(self):
        self.set(0)

    def was_wrong(self, least_s):
        """Whether documents are stored that were made with a clock at least so far off: else the library did nothing."""
        return int(oracle.query(self.collector.rig.site.database, "select count(*) from pganalytics.documents where type = 'fault_counter'"
                                f" and collector_id = '{self.collector.id}' and abs(extract(epoch from ts - received_at)) >= {least_s}")[0][0]) > 0


def made(collector, documents, seconds=PATIENCE_S):
    """It goes on making documents: the cursor in its spool moves."""
    cursor = collector.cursor()
    eventually(lambda: collector.cursor() >= cursor + documents, seconds, f"{documents} more documents in the spool, see {collector.log_path}")


def started(rig, **options):
    collector = rig.collector(**options)
    clock = Clock(collector)
    collector.start()
    eventually(lambda: collector.cursor() > 3, PATIENCE_S, "the first documents")
    return collector, clock


JUMPS = {"plus-1s": 1, "minus-1s": -1, "plus-1m": 60, "minus-1m": -60, "plus-1h": HOUR, "minus-1h": -HOUR, "plus-25h": 25 * HOUR, "minus-25h": -25 * HOUR,
         "plus-10y": 10 * YEAR, "minus-10y": -10 * YEAR, "1970": None, "plus-30s": 30, "minus-30s": -30, "plus-5m": 300, "minus-5m": -300}


@scenario(
    row="C1",
    expect="the clock jumps and jumps back: rounds go on, nothing is lost or dropped as too old",
    runs={name: dict(jump=name) for name in JUMPS},
    short=["minus-1h", "plus-10y"],
)
def clock_jumps(rig, jump):
    collector, clock = started(rig)
    clock.set(JUMPS[jump] if JUMPS[jump] is not None else 60 - int(time.time()))
    made(collector, 20)
    clock.true_again()
    rig.count("faults", 2)
    made(collector, 10)
    collector.wait_fresh()
    assert rig.settle(collector).counted_lost == 0
    assert abs(JUMPS[jump] or YEAR) < HOUR or clock.was_wrong(abs(JUMPS[jump] or YEAR) / 2)


@scenario(
    row="C1",
    expect="it starts with a clock that is wrong, and is well when the clock is: nothing lost",
    runs={name: dict(jump=name) for name in ("plus-1h", "minus-1h", "plus-10y", "minus-10y", "1970")},
)
def wrong_clock_at_start(rig, jump):
    collector = rig.collector()
    clock = Clock(collector)
    clock.set(JUMPS[jump] if JUMPS[jump] is not None else 60 - int(time.time()))
    collector.start()
    eventually(lambda: collector.cursor() > 20, PATIENCE_S, f"documents, see {collector.log_path}")
    clock.true_again()
    rig.count("faults")
    collector.wait_fresh()
    assert rig.settle(collector).counted_lost == 0


@scenario(
    row="C1",
    expect="a clock that drifts or jumps about: rounds go on, nothing lost",
    runs={"fast": dict(speed=2.0), "slow": dict(speed=0.5), "to-and-fro": dict(jumps=40)},
)
def clock_drifts(rig, speed=None, jumps=0):
    collector, clock = started(rig)
    if speed:
        clock.set(0, speed)
        made(collector, 30)
    for _ in range(jumps):
        clock.set(rig.random.uniform(-HOUR / 2, HOUR / 2))
        time.sleep(rig.random.uniform(0.01, 0.3))  # until the next jump
    clock.true_again()
    rig.count("faults", jumps or 1)
    collector.wait_fresh()
    assert rig.settle(collector).counted_lost == 0


@scenario(
    row="C1",
    expect="the clock jumps between lives and while they are killed",
    runs={"kills": dict(kills=60)},
)
def clock_jumps_and_kills(rig, kills):
    collector = rig.collector()
    clock = Clock(collector)
    for _ in range(kills):
        clock.set(rig.random.choice((0, 60, -60, HOUR, -HOUR, 24 * HOUR)))
        collector.start()
        time.sleep(rig.random.uniform(0.05, 0.3))  # the moment of the kill
        rig.kill(collector)
    clock.true_again()
    rig.count("faults", kills)
    assert rig.settle(collector).counted_lost == 0


SPEED = 600  # a day in 144 s
TICK = "120s"  # five of them a second, then


def pass_hours(rig, collector, hours, kills=0):
    """All clocks of the collector run SPEED times as fast, timers too: hours of its life. It is killed `kills` times on the way."""
    kept = collector.environment
    begun = time.monotonic()
    for life in range(kills + 1):
        passed_s = (time.monotonic() - begun) * SPEED
        collector.environment = {**kept, "LD_PRELOAD": library(), "FAKETIME": f"+{passed_s:.0f}s x{SPEED}", "FAKETIME_DONT_RESET": "1"}
        collector.start()
        # Whichever comes first ends the life: its share of the hours. The last one stops in order.
        time.sleep(max(0.3, begun + hours * HOUR / SPEED * (life + rig.random.uniform(0.8, 1)) / (kills + 1) - time.monotonic()))
        assert collector.running, f"it ended: {collector.log()[-1000:]}"
        if life < kills:
            rig.kill(collector)
    eventually(lambda: time.monotonic() - begun >= hours * HOUR / SPEED, PATIENCE_S, f"{hours} h have passed")
    rig.kill(collector)  # an orderly end at this speed leaves it no time to stop
    collector.environment = kept


@scenario(
    row="N1",
    expect="the server is away for 24 h of a simulated clock: everything arrives",
    runs={"1h": dict(hours=1), "24h": dict(hours=24), "24h-with-kills": dict(hours=24, kills=24), "47h": dict(hours=47)},
    short=["1h"],
    limit_s=500,
)
def server_away_for_hours(rig, hours, kills=0):
    collector = rig.collector(url=AWAY, interval=TICK)
    pass_hours(rig, collector, hours, kills)
    ticks = collector.waiting()
    assert ticks > hours * HOUR / 120 / 3, f"only {ticks} batches were made in {hours} h"
    rig.count("faults")
    collector.interval, collector.url = "100ms", None
    collector.configure()
    assert rig.settle(collector).counted_lost == 0


@scenario(
    row="S16",
    expect="a cap is reached and stays so for 24 h: the oldest go, and every one of them is counted",
    runs={"size": dict(hours=24, spool='max_bytes = "1MiB"\nkeep_free = 0\n', size=8000), "age": dict(hours=24, spool='max_age = "2h"\n', size=100),
          "size-small-documents": dict(hours=24, spool='max_bytes = "1MiB"\nkeep_free = 0\n', size=900, documents=20),
          "age-with-kills": dict(hours=24, spool='max_age = "2h"\n', size=100, kills=12)},
    limit_s=500,
)
def cap_for_a_day(rig, hours, spool, size, documents=3, kills=0):
    collector = rig.collector(url=AWAY, interval=TICK, spool=spool, size=size, documents=documents)
    pass_hours(rig, collector, hours, kills)
    rig.count("faults")
    collector.interval, collector.url = "100ms", None
    collector.configure()
    assert rig.settle(collector).counted_lost > 0, "the cap was never reached"


@scenario(
    row="C2",
    expect="the machine sleeps for 8 h: all timers are due at once, and everything goes on",
    runs={"8h": dict(hours=8), "3-times": dict(hours=8, times=3)},
)
def machine_sleeps(rig, hours, times=1):
    """Standing still, and a clock that is later afterwards: what a suspended machine's programs see of it."""
    collector, clock = started(rig)
    for number in range(1, times + 1):
        collector.process.send_signal(signal.SIGSTOP)
        clock.set(number * hours * HOUR)
        time.sleep(0.5)  # the night
        collector.process.send_signal(signal.SIGCONT)
        rig.count("faults")
        made(collector, 10)
    collector.wait_fresh()
    clock.true_again()
    assert rig.settle(collector).counted_lost == 0
