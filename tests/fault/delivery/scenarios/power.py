"""S3: power cuts. A life is recorded write by write; every state that its disk may have had is rebuilt and read, and some go all the way."""

import os
import shutil
import sqlite3
import time

import oracle
from faults import Faults
from power_cut import Disk, read_record, write_folder
from rig import AWAY, PATIENCE_S, eventually
from scenario import scenario


def recorded_life(rig, size, kills, documents):
    """A collector whose server is away, from its first start on: every document that it ever sealed waits in its spool."""
    collector = rig.collector("recorded", url=AWAY, size=size, documents=documents)
    record = os.path.join(rig.folder, "record")
    for life in range(kills + 1):
        collector.start(Faults(collector, record=record).environment)
        cursor = collector.cursor()
        eventually(lambda: collector.cursor() >= cursor + 8, PATIENCE_S, "documents")
        time.sleep(rig.random.uniform(0, 0.1))  # the moment it ends
        collector.stop() if life == kills else rig.kill(collector)
    return collector, read_record(record)


def is_sound(folder, least):
    """The spool that SQLite finds there: whether the waiting batches are what its cursor says, and whether that is not behind `least`."""
    try:
        spool = oracle.read_spool(folder)
    except sqlite3.DatabaseError as error:  # while it is being made there is nothing to find yet
        assert least == 0, f"{error}, but a cursor of {least} was on the disk already"
        return
    assert spool.cursor >= least, f"the cursor is {spool.cursor}, but {least} was on the disk already"
    assert spool.waiting_counted == spool.cursor, f"{spool.waiting_counted} documents wait under a cursor of {spool.cursor}"


@scenario(
    row="S3",
    expect="whatever the power cut left: what was synced is there, and documents and cursor agree",
    runs={"small": dict(size=200), "checkpoints": dict(size=200_000, documents=6), "after-kills": dict(size=2000, kills=4)},
    limit_s=600,
)
def power_cuts(rig, size, kills=0, documents=3, states=1200, followed=6):
    recorded, changes = recorded_life(rig, size, kills, documents)
    folder, scratch = recorded.state_dir, os.path.join(rig.folder, "cut")
    disk, least = Disk(), 0
    each = max(1, round(states / len(changes)))
    to_follow = set(rig.random.sample(range(len(changes)), min(followed, len(changes))))
    for number, change in enumerate(changes):
        disk.play(change)
        if change.operation == "sync" and change.path.endswith("-wal"):
            least = cursor_of(disk.whole(), folder, scratch)
        for _ in range(each if rig.random.random() < states / len(changes) else 0):
            files = disk.cut(rig.random)
            shutil.rmtree(scratch, ignore_errors=True)
            write_folder(files, folder, scratch)
            rig.count("cuts")
            if any(name.endswith("spool.db") and content for name, content in files.items()):
                is_sound(scratch, least)
            else:
                assert least == 0
        if number in to_follow:
            follow(rig, disk.cut(rig.random), folder, number, least)
    recorded.push_to(None)
    rig.settle(recorded)


def cursor_of(files, folder, scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    write_folder(files, folder, scratch)
    try:
        return oracle.read_spool(scratch).cursor
    except sqlite3.DatabaseError:
        return 0


def follow(rig, files, folder, number, least):
    """The programs themselves on that disk, under an identity of its own: everything goes to the server."""
    collector = rig.collector(f"cut{number}")
    write_folder(files, folder, collector.state_dir)
    collector.start()
    collector.wait_fresh()
    verdict = rig.settle(collector, moved=True)
    assert verdict.counted_lost == 0 and verdict.documents >= least, f"{verdict.documents} stored and {verdict.counted_lost} counted as lost, {least} were on the disk"
