"""S9 to S13: the disk is full, read-only, broken, slow; descriptors and memory run out. Collection goes on all the same."""

import os
import resource
import signal
import time

from faults import READ_ONLY, Faults, NoMemory
from lives import Life, live_and_die
from private_disk import PrivateDisk
from rig import AWAY, PATIENCE_S, eventually
from scenario import scenario

KEEP_NONE = "keep_free = 0\n"
FAULT_S = 4  # how long one lasts that nobody can watch
ROUNDS = 40  # of ticks every 100 ms


def rounds_go_on(collector, rounds=ROUNDS):
    """So many more rounds end well while the fault lasts: seconds, where rounds that wait for a disk of 300 ms a call would take minutes."""
    before, _ = eventually(collector.rounds, PATIENCE_S, "the collector answers")

    def done():
        now = collector.rounds()
        return now is not None and now[0] - before >= rounds

    eventually(done, PATIENCE_S, f"{rounds} good rounds, see {collector.log_path}", every=0.5)


def goes_on_delivering(collector, documents=10):
    before = collector.count_stored()
    eventually(lambda: collector.count_stored() >= before + documents, PATIENCE_S, f"{documents} more documents, see {collector.log_path}", every=0.2)


@scenario(
    row="S9",
    expect="no exit, rounds on time, what does not fit is counted, and it resumes by itself",
    runs={"at-start": dict(when="start"), "while-running": dict(when="running"), "server-away": dict(when="running", away=True),
          "at-start-server-away": dict(when="start", away=True), "twice": dict(when="running", times=2)},
    short=["while-running"],
)
def disk_full(rig, when, away=False, times=1):
    collector = rig.collector(spool=KEEP_NONE, url=AWAY if away else None, size=2000)
    disk = PrivateDisk(rig, collector, "6m")
    if when == "running":
        collector.start()
        eventually(lambda: collector.cursor() > 0, PATIENCE_S, "the first documents")
    for _ in range(times):
        disk.fill()
        if not collector.running:
            collector.start()
        rounds_go_on(collector)
        disk.empty()
        rig.count("faults")
        if not away:
            collector.wait_fresh()
    collector.push_to(None)
    collector.wait_fresh()
    rig.settle(collector)


@scenario(
    row="S9",
    expect="a backlog that fills the disk makes room from its oldest end, each document counted",
    runs={"4m": dict(size="4m"), "2m": dict(size="2m"), "large-documents": dict(size="8m", bytes=200_000)},
    limit_s=400,
)
def backlog_fills_the_disk(rig, size, bytes=30_000):
    collector = rig.collector(spool=KEEP_NONE, url=AWAY, size=bytes, documents=5)
    PrivateDisk(rig, collector, size)
    collector.start()
    rounds_go_on(collector, 150)
    assert collector.running
    collector.push_to(None)
    collector.wait_fresh()
    assert rig.settle(collector).counted_lost > 0, "the disk was never full"


@scenario(
    row="S9",
    expect="the floor of free space is kept: the oldest go, counted",
    runs={"floor": {}},
)
def free_space_floor(rig):
    collector = rig.collector(spool='keep_free = "4MiB"\n', url=AWAY, size=30_000, documents=5)
    PrivateDisk(rig, collector, "8m")
    collector.start()
    rounds_go_on(collector, 120)
    free = os.statvfs(collector.seen_dir)
    assert free.f_bavail * free.f_frsize > 2 << 20, f"only {free.f_bavail * free.f_frsize} bytes are free"
    collector.push_to(None)
    collector.wait_fresh()
    assert rig.settle(collector).counted_lost > 0


@scenario(
    row="S10",
    expect="memory mode from the start: data flow on, and the disk is used when it can be",
    runs={"at-start": {}, "with-a-spool": dict(used=True), "server-away": dict(away=True)},
)
def read_only_at_start(rig, used=False, away=False):
    collector = rig.collector(spool=KEEP_NONE)
    disk = PrivateDisk(rig, collector, "32m")
    if used:
        collector.start()
        collector.wait_fresh()
        collector.stop()
    if away:
        collector.push_to(AWAY)
    disk.remount("ro")
    rig.count("faults")
    collector.start()
    if away:
        time.sleep(FAULT_S)  # it collects; its socket cannot be made, so nobody can ask
        collector.push_to(None)
    goes_on_delivering(collector)
    assert collector.running, f"it ended: {collector.log()[-1000:]}"
    disk.remount("rw")
    collector.wait_fresh()
    rig.settle(collector)


@scenario(
    row="S10",
    expect="memory mode: rounds on time, and back to the disk by itself",
    runs={"server-there": {}, "server-away": dict(away=True), "twice": dict(times=2)},
    short=["server-there"],
)
def read_only_while_running(rig, away=False, times=1):
    """A file system that the kernel mounted again for its errors: what is open can be read, and nothing written. Only a preloaded library can
    do that here: the kernel refuses to remount while files are open for writing."""
    collector = rig.collector()
    switch = os.path.join(rig.folder, "read-only")
    faults = Faults(collector, READ_ONLY, switch=switch)
    collector.start(faults.environment)
    for _ in range(times):
        collector.wait_fresh()
        if away:
            collector.push_to(AWAY)
        open(switch, "w").close()
        rounds_go_on(collector)
        os.unlink(switch)
        if away:
            collector.push_to(None)
        collector.wait_fresh()
    assert collector.running and faults.counts()["faults"] > 0
    rig.count("faults", faults.counts()["faults"])
    rig.settle(collector)


ERRORS = {"write": ("EIO", "ENOSPC", "EROFS", "EDQUOT"), "sync": ("EIO", "ENOSPC"), "read": ("EIO",), "edit": ("EIO", "EMFILE", "ENOSPC"),
          "truncate": ("EIO",), "unlink": ("EIO", "EROFS")}


@scenario(
    row="S11",
    expect="one error of one call: nothing lost, nothing twice, no exit",
    runs={f"{operation}-{error}": dict(operation=operation, error=error) for operation, errors in ERRORS.items() for error in errors},
    limit_s=400,
)
def one_error(rig, operation, error):
    """The 1st, 2nd ... call of a life fails once; the same process must come through."""
    for call in (1, 2, 3, 5, 8, 13, 21, 34):
        collector = rig.collector()
        faults = Faults(collector, f"{operation}:{call}:{error}", file="spool.")
        collector.start(faults.environment)
        eventually(lambda: faults.counts()["faults"] > 0 or faults.counts()[operation] >= call or not collector.running or collector.count_stored() > 20, PATIENCE_S, "the call")
        goes_on_delivering(collector)
        rig.count("faults", faults.counts()["faults"])
        rig.settle(collector)


@scenario(
    row="S11",
    expect="errors now and then, for seconds: nothing lost but what is counted, nothing twice, no exit",
    runs={**{f"{operation}-{error}": dict(plan=f"{operation}:p100:{error}") for operation, error in
             (("write", "EIO"), ("write", "ENOSPC"), ("write", "EINTR"), ("write", "short"), ("sync", "EIO"), ("sync", "ENOSPC"), ("any", "EIO"), ("any", "EINTR"))},
          "rarely-any-EIO": dict(plan="any:p5:EIO"), "sync-and-read-EIO": dict(plan="sync:p100:EIO;read:p300:EIO"), "sync-EIO-edit-EMFILE": dict(plan="sync:p100:EIO;edit:p300:EMFILE")},
    limit_s=400,
)
def errors_now_and_then(rig, plan):
    broken_for_a_while(rig, plan)


@scenario(
    row="S11",
    expect="the disk answers every call with an error for seconds: memory mode, and back by itself",
    runs={**{f"{operation}-{error}": dict(plan=f"{operation}:1+:{error}") for operation, error in
             (("write", "EIO"), ("sync", "EIO"), ("any", "EIO"), ("write", "ENOSPC"), ("any", "ENOSPC"), ("any", "EROFS"))},
          # What is read and opened again is so after another error.
          "sync-and-read-EIO": dict(plan="sync,read:1+:EIO"), "sync-EIO-edit-EMFILE": dict(plan="sync:1+:EIO;edit:1+:EMFILE"),
          "sync-EIO-open-EACCES": dict(plan="sync:1+:EIO;open,edit:1+:EACCES"), "sync-EIO-unlink-EIO": dict(plan="sync:1+:EIO;unlink,rename,truncate:1+:EIO")},
    short=["any-EIO"],
    limit_s=400,
)
def disk_gone_for_a_while(rig, plan):
    broken_for_a_while(rig, plan)


def broken_for_a_while(rig, plan):
    collector = rig.collector()
    switch = os.path.join(rig.folder, "broken")
    faults = Faults(collector, plan, seed=rig.random.randrange(2**32), file="spool.", switch=switch)
    collector.start(faults.environment)
    eventually(lambda: collector.cursor() > 0, PATIENCE_S, "the first documents")
    open(switch, "w").close()
    rounds_go_on(collector)
    os.unlink(switch)
    assert collector.running, f"it ended: {collector.log()[-1000:]}"
    assert faults.counts()["faults"] > 0, f"no call was hit: {faults.counts()}"
    rig.count("faults", faults.counts()["faults"])
    collector.wait_fresh()
    rig.settle(collector)


@scenario(
    row="S12",
    expect="rounds on time whatever the disk takes, nothing lost",
    runs={"2s-every-write-and-sync": dict(plan="write,sync:1+:slow2000"), "2s-every-sync": dict(plan="sync:1+:slow2000"), "300ms-every-call": dict(plan="any:1+:slow300"),
          "8s-now-and-then": dict(plan="sync:p50:slow8000"), "server-away": dict(plan="write,sync:1+:slow2000", away=True)},
    short=["2s-every-sync"],
    limit_s=400,
)
def slow_disk(rig, plan, away=False):
    collector = rig.collector(url=AWAY if away else None)
    switch = os.path.join(rig.folder, "slow")
    faults = Faults(collector, plan, seed=rig.random.randrange(2**32), file="spool.", switch=switch)
    collector.start(faults.environment)
    eventually(lambda: collector.cursor() > 0, PATIENCE_S, "the first documents")
    open(switch, "w").close()
    rounds_go_on(collector, 100)
    os.unlink(switch)
    rig.count("faults", faults.counts()["faults"])
    collector.push_to(None)
    collector.wait_fresh()
    rig.settle(collector)


@scenario(
    row="S12",
    expect="told to stop while the disk hangs it ends with 0 within 15 s; nothing lost, nothing twice",
    runs={"spool": dict(file="spool."), "whole-folder": dict(file=None), "server-away": dict(file="spool.", away=True)},
    limit_s=400,
)
def stop_while_the_disk_hangs(rig, file, away=False):
    collector = rig.collector(url=AWAY if away else None)
    switch = os.path.join(rig.folder, "hangs")
    faults = Faults(collector, "any:1+:slow600000", file=file, switch=switch)
    collector.start(faults.environment)
    eventually(lambda: collector.cursor() > 0, PATIENCE_S, "the first documents")
    open(switch, "w").close()
    eventually(lambda: faults.counts()["faults"] > 0, PATIENCE_S, "a call that hangs")
    began = time.monotonic()
    collector.process.send_signal(signal.SIGTERM)
    status = collector.process.wait(PATIENCE_S)
    took = time.monotonic() - began
    assert status == 0 and took < 15, f"it ended with {status} after {took:.1f} s: {collector.log()[-1000:]}"
    os.unlink(switch)
    rig.count("faults", faults.counts()["faults"])
    collector.push_to(None)
    rig.settle(collector)


@scenario(
    row="S13",
    expect="no exit, and everything is as before when there are descriptors again",
    runs={"no-descriptors": dict(spare=0), "two-descriptors": dict(spare=2)},
    short=["no-descriptors"],
)
def descriptors_run_out(rig, spare):
    collector = rig.collector()
    collector.start()
    eventually(lambda: collector.cursor() > 0, PATIENCE_S, "the first documents")
    kept = resource.prlimit(collector.process.pid, resource.RLIMIT_NOFILE)
    open_now = max(int(name) for name in os.listdir(f"/proc/{collector.process.pid}/fd")) + 1
    resource.prlimit(collector.process.pid, resource.RLIMIT_NOFILE, (open_now + spare, kept[1]))
    time.sleep(FAULT_S)  # the time without
    assert collector.running, f"it ended: {collector.log()[-1000:]}"
    resource.prlimit(collector.process.pid, resource.RLIMIT_NOFILE, kept)
    rig.count("faults")
    collector.wait_fresh()
    rig.settle(collector)


@scenario(
    row="S13",
    expect="it goes on, or ends and starts again: nothing lost, nothing twice",
    runs={"none": dict(spare_kib=0), "a-little": dict(spare_kib=512)},
)
def memory_runs_out(rig, spare_kib):
    collector = rig.collector(size=100_000)
    collector.start()
    eventually(lambda: collector.cursor() > 0, PATIENCE_S, "the first documents")
    kept = resource.prlimit(collector.process.pid, resource.RLIMIT_AS)
    with open(f"/proc/{collector.process.pid}/statm") as pages:
        used = int(pages.read().split()[0]) * resource.getpagesize()
    resource.prlimit(collector.process.pid, resource.RLIMIT_AS, (used + spare_kib * 1024, kept[1]))
    time.sleep(FAULT_S)  # the time without
    rig.count("faults")
    if collector.running:
        resource.prlimit(collector.process.pid, resource.RLIMIT_AS, kept)
    rig.settle(collector)


class StarvedLife(Life):
    def end(self, rig):
        super().end(rig)
        rig.count("faults", self.faults.counts()["faults"] > 0)


@scenario(
    row="S13",
    expect="an allocation fails, or all of them for a while: it goes on or ends, as it likes, and starts again: nothing lost, nothing twice",
    runs={"one": dict(failing=1), "some": dict(failing=20, away=True), "for-a-while": dict(failing=2000, away=True)},
    limit_s=400,
)
def allocations_fail(rig, failing, away=False, lives=60, together=4):
    """Spread over a life of starting, sealing, pushing and stopping. An end need not be orderly: out of memory is one of the ways to die. Where more
    than one fails, the server is away: the first may bring memory mode, and a death in that is not promised to send each serial once."""
    collectors = [rig.collector() for _ in range(together)]
    counting = NoMemory(collectors[0])
    collectors[0].start(counting.environment)
    collectors[0].wait_fresh()
    collectors[0].stop()
    calls = counting.counts()["any"]
    assert calls > 1000, f"only {calls} allocations were counted"
    for collector in collectors if away else ():
        collector.push_to(AWAY)

    def starved(collector):
        first = int(rig.random.triangular(1, calls, calls / 8))  # the opening of the spool has the first eighth
        return StarvedLife(rig, collector, NoMemory(collector, f"{first}-{first + failing - 1}"), most_s=4, stop_after_s=2)

    live_and_die(rig, collectors, (starved for _ in range(lives)))
    assert rig.counts["faults"] > lives / 3, f"{rig.counts['faults']} lives of {lives} came to their allocation"
    for collector in collectors:
        collector.push_to(None)
        rig.settle(collector)
