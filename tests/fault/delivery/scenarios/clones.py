"""S18: one state folder becomes two, or goes back to what it was. Both histories arrive whole: nothing is swallowed as a replay, nothing
is stored twice."""

import os
import shutil
import signal

from rig import AWAY, PATIENCE_S, eventually
from scenario import scenario

from scenarios.answers import fronted, no_more_than


def snapshot(collector, to):
    """What a snapshot of the machine has: the folder at one moment, while the process goes on."""
    if collector.running:
        collector.process.send_signal(signal.SIGSTOP)
    shutil.copytree(collector.state_dir, to, ignore=shutil.ignore_patterns("*.sock", "*-shm"))
    if collector.running:
        collector.process.send_signal(signal.SIGCONT)


def branches(fork, abandoned=()):
    """Origins: '' up to `fork` at least, every other one from behind the fork up to its newest, without a hole. Of an abandoned one, which a snapshot was
    put over while it had batches waiting, only what is before the fork must be there: the newest are sent first, so what is missing behind it is anywhere."""

    def expected(by_origin, spools):
        return {origin: (1 if origin == "" else fork + 1, fork if origin in abandoned else max(serials)) for origin, serials in by_origin.items()}

    return expected


def cursor_of(folder):
    import oracle

    return oracle.read_spool(folder).cursor


@scenario(
    row="S18",
    expect="a cloned machine: both go on under one identity, and both arrive whole",
    runs={"while-running": dict(running=True), "stopped": dict(running=False), "with-a-backlog": dict(running=True, away=True), "three": dict(running=True, copies=2),
          "backlog-of-three": dict(running=True, away=True, copies=2)},
    short=["while-running"],
)
def clone(rig, running, away=False, copies=1):
    original = rig.collector(url=AWAY if away else None)
    original.start()
    eventually(lambda: original.cursor() > 20, PATIENCE_S, "some documents")
    if not running:
        original.stop()
    clones = []
    for number in range(1, copies + 1):
        copy = rig.collector(f"clone{number}", register=False)
        snapshot(original, copy.state_dir)
        copy.id, copy.ids, copy.origin = original.id, original.ids, copy.name
        copy.configure()
        clones.append(copy)
    forks = [cursor_of(copy.state_dir) for copy in clones]
    original.push_to(None)
    for one in (original, *clones):
        if not one.running:
            one.start()
    for one in (original, *clones):
        one.wait_fresh()
    for one in (original, *clones):
        one.stop()
        rig.drain(one)
    rig.count("faults", copies)
    starts = {copy.origin: fork + 1 for copy, fork in zip(clones, forks)}
    rig.judge(original, [one.state_dir for one in (original, *clones)], equation=False, moved=True,
              origins=lambda by_origin, spools: {origin: (starts.get(origin, 1), max(serials)) for origin, serials in by_origin.items()})


@scenario(
    row="S18",
    expect="a machine set back to a snapshot: what was made since then and what is made now are both there",
    runs={"other-files": dict(), "same-files": dict(in_place=True), "with-a-backlog": dict(backlog=True), "same-files-with-a-backlog": dict(in_place=True, backlog=True),
          "three-times": dict(in_place=True, times=3)},
    short=["same-files"],
)
def snapshot_revert(rig, in_place=False, backlog=False, times=1):
    collector = rig.collector(url=AWAY if backlog else None)
    collector.start()
    eventually(lambda: collector.cursor() > 20, PATIENCE_S, "some documents")
    kept = collector.state_dir + ".snapshot"
    snapshot(collector, kept)
    fork = cursor_of(kept)
    collector.push_to(None)
    for number in range(1, times + 1):
        eventually(lambda: collector.highest_stored() > fork + 10, PATIENCE_S, f"documents after the snapshot, see {collector.log_path}")
        collector.stop()  # what waited on the disk that is set back would be gone with it, and is nobody's to count
        rig.drain(collector)
        put_back(kept, collector.state_dir, in_place)
        collector.origin = f"again{number}"
        collector.configure()
        collector.start()
    rig.count("faults", times)
    collector.wait_fresh()
    abandoned = {""} | {f"again{number}" for number in range(1, times)}
    rig.settle(collector, equation=False, moved=True, origins=branches(fork, abandoned))


@scenario(row="S18", expect="set back to before batches were halved of which halves are stored: each document is stored once", runs={"some-halves": dict(parts=3), "most": dict(parts=12)},
          short=["some-halves"])
def snapshot_before_halving(rig, parts):
    front, collector = fronted(rig, documents=60, size=4000, interval="2s")
    collector.push_to(AWAY)
    collector.start()
    eventually(lambda: collector.cursor() > 5 * 60, PATIENCE_S, "a backlog of large batches")
    collector.stop()
    kept = collector.state_dir + ".snapshot"
    snapshot(collector, kept)
    front.script = no_more_than(8000)
    collector.enabled = False  # what would be made now belongs to a history that the snapshot ends
    collector.push_to(front.url)
    collector.start()
    stored = lambda: [attempt.key for attempt in front.of("push") if "/" in attempt.key and attempt.told == 200]
    eventually(lambda: len(stored()) >= parts, PATIENCE_S, "halves are stored", every=0.01)
    rig.kill(collector)
    put_back(kept, collector.state_dir, in_place=True)
    collector.enabled = True
    collector.configure()
    front.script = None  # wholes pass again
    rig.count("faults")
    rig.settle(collector)
    assert any(attempt.told == 422 for attempt in front.of("push")), "no whole was sent of which a part is stored"


def put_back(kept, folder, in_place):
    """in_place: the very same inodes, as when the disk itself goes back; so nothing about the files says that they are a copy."""
    for name in ("spool.db", "spool.db-wal", "spool.db-shm", "spool.tally"):
        source, target = os.path.join(kept, name), os.path.join(folder, name)
        if not os.path.exists(source):
            if os.path.exists(target):
                os.unlink(target)
            continue
        if not in_place and os.path.exists(target):
            os.unlink(target)
        with open(source, "rb") as content, open(target, "r+b" if os.path.exists(target) else "wb") as file:
            file.write(content.read())
            file.truncate()
