"""S6, S7, S8, S17: the spool's files are not what they were. Byte by byte is the corruption sweep's matter (tests/core/spool); here the whole
programs live through it: it starts, what was stored stays, what is lost is counted, new documents go all the way."""

import json
import os
import shutil
import sqlite3
import time
import zlib

import oracle
from rig import AWAY, PATIENCE_S, eventually
from scenario import scenario

READY_S = 30  # a start and a first push, on a machine that is busy with other runs


def random_bytes(rig, size):
    return rig.random.randbytes(size)


def overwrite(path, content):
    with open(path, "wb") as file:
        file.write(content)


def make_directory(path):
    if os.path.exists(path):
        os.unlink(path)
    os.mkdir(path)


def huge(path):
    with open(path, "r+b" if os.path.exists(path) else "wb") as file:
        file.truncate(1 << 31)  # sparse


def change(path, at, content):
    with open(path, "r+b") as file:
        file.seek(min(at, max(os.path.getsize(path) - len(content), 0)))
        file.write(content)


def truncate(path, share):
    os.truncate(path, int(os.path.getsize(path) * share))


GARBAGE = {
    "zeros": lambda rig, path: overwrite(path, bytes(65536)),
    "random": lambda rig, path: overwrite(path, random_bytes(rig, 65536)),
    "empty": lambda rig, path: overwrite(path, b""),
    "one-byte": lambda rig, path: overwrite(path, b"S"),
    "text": lambda rig, path: overwrite(path, b"this is no spool\n" * 100),
    "header-only": lambda rig, path: truncate(path, 0) or overwrite(path, b"SQLite format 3\0" + random_bytes(rig, 84)),
    "huge": lambda rig, path: huge(path),
    "half": lambda rig, path: truncate(path, 0.5),
    "all-but-a-little": lambda rig, path: truncate(path, 0.97),
    "random-page": lambda rig, path: change(path, 4096 * rig.random.randrange(1, 8), random_bytes(rig, 4096)),
    "zero-page": lambda rig, path: change(path, 4096 * rig.random.randrange(1, 8), bytes(4096)),
    "first-page": lambda rig, path: change(path, 0, random_bytes(rig, 4096)),
    "bad-sectors": lambda rig, path: [change(path, 512 * rig.random.randrange(8, 64), random_bytes(rig, 512)) for _ in range(5)],
}
SIDE_FILES = {
    "wal-random": lambda rig, path: overwrite(path + "-wal", random_bytes(rig, 100_000)),
    "wal-zeros": lambda rig, path: overwrite(path + "-wal", bytes(100_000)),
    "wal-half": lambda rig, path: truncate(path + "-wal", 0.5),
    "wal-bad-sector": lambda rig, path: change(path + "-wal", int(os.path.getsize(path + "-wal") * 0.6), random_bytes(rig, 512)),
    "wal-deleted": lambda rig, path: os.unlink(path + "-wal"),
    "shm-random": lambda rig, path: overwrite(path + "-shm", random_bytes(rig, 32768)),
    "journal-random": lambda rig, path: overwrite(path + "-journal", random_bytes(rig, 8192)),
    "database-deleted": lambda rig, path: os.unlink(path),
    "tally-random": lambda rig, path: overwrite(os.path.join(os.path.dirname(path), "spool.tally"), random_bytes(rig, 4096)),
    "lock-deleted": lambda rig, path: os.unlink(os.path.join(os.path.dirname(path), "spool.lock")),
    "unknown-files": lambda rig, path: [overwrite(path + suffix, random_bytes(rig, 5000)) for suffix in (".damaged-1", "-wal2", ".new", "~")],
}


def before_and_after(cursor):
    """What was committed before the fault, each serial of it stored or counted; and what came after it, without a hole. The cursor may have
    been salvaged or not: where the new serials begin is not said."""

    def expected(by_origin, spools):
        after = by_origin.get("after", set())
        return {"": (1, cursor), **({"after": (min(after), max(after))} if after else {})}

    return expected


def tally_is_behind(collector):
    """Killed between a commit and the note of it in spool.tally: of that commit only the WAL knows, and nobody when the WAL is spoiled too."""
    return os.stat(os.path.join(collector.state_dir, "spool.tally")).st_mtime_ns < os.stat(wal_of(collector)).st_mtime_ns


def live_before(rig, backlog, closed):
    """A collector that has stored some documents, with a backlog or without, killed or closed in order. Its cursor."""
    collector = rig.collector(size=500)
    collector.start()
    collector.wait_fresh()
    if backlog:
        collector.push_to(AWAY)
        cursor = collector.cursor()
        eventually(lambda: collector.cursor() > cursor + 60, PATIENCE_S, "a backlog")
    if closed:
        collector.stop()
    else:
        rig.kill(collector)
        while tally_is_behind(collector):
            collector.start()
            made = collector.cursor()
            eventually(lambda: collector.cursor() > made, PATIENCE_S, f"another batch, see {collector.log_path}")
            rig.kill(collector)
    return collector, oracle.read_spool(collector.state_dir).cursor


def live_after(rig, collector, cursor, **of_oracle):
    collector.origin, collector.url = "after", None
    collector.configure()
    collector.start()
    eventually(lambda: collector.highest_stored() > 0, READY_S, f"new documents, see {collector.log_path}", every=0.05)
    rig.settle(collector, origins=before_and_after(cursor), moved=True, **of_oracle)


@scenario(
    row="S6",
    expect="it starts, what passes its checks is kept, the rest is counted",
    runs={f"{kind}{'-backlog' if backlog else ''}": dict(kind=kind, backlog=backlog) for kind in GARBAGE for backlog in (False, True)},
    short=["random", "half-backlog"],
)
def damaged_database(rig, kind, backlog):
    collector, cursor = live_before(rig, backlog, closed=True)
    GARBAGE[kind](rig, os.path.join(collector.state_dir, "spool.db"))
    rig.count("faults")
    live_after(rig, collector, cursor)


@scenario(
    row="S7",
    expect="it starts, what passes its checks is kept, the rest is counted",
    runs={f"{kind}{'-backlog' if backlog else ''}": dict(kind=kind, backlog=backlog) for kind in SIDE_FILES for backlog in (False, True)},
    short=["wal-half-backlog"],
)
def damaged_side_file(rig, kind, backlog):
    """After a kill, so that the WAL has what the database has not."""
    collector, cursor = live_before(rig, backlog, closed=False)
    SIDE_FILES[kind](rig, os.path.join(collector.state_dir, "spool.db"))
    rig.count("faults")
    live_after(rig, collector, cursor)


@scenario(
    row="S6",
    expect="something that is no file stands where the spool was: it says so or goes on, and goes on when it is gone",
    runs={"directory": dict(what="directory"), "pipe": dict(what="pipe"), "loop": dict(what="loop"), "device": dict(what="device")},
    short=["pipe"],
)
def no_file_at_all(rig, what):
    collector, cursor = live_before(rig, backlog=False, closed=True)
    path = os.path.join(collector.state_dir, "spool.db")
    os.rename(path, path + ".kept")
    if what == "directory":
        os.mkdir(path)
    elif what == "pipe":
        os.mkfifo(path)
    else:
        os.symlink(path if what == "loop" else "/dev/full", path)
    rig.count("faults")
    collector.origin = "during"  # if it begins a spool of its own beside that
    collector.configure()
    collector.start()
    assert collector.lives_or_ends() or path in collector.log(), f"it ended without saying why: {collector.log()[-500:]}"
    collector.stop_or_kill()
    if os.path.lexists(path) and not os.path.isfile(path):
        os.rmdir(path) if what == "directory" else os.unlink(path)
    if not os.path.exists(path):
        os.rename(path + ".kept", path)
    live_after(rig, collector, cursor)


SUBSETS = {"database": ["spool.db"], "wal": ["spool.db-wal"], "shm": ["spool.db-shm"], "lock": ["spool.lock"], "database-and-wal": ["spool.db", "spool.db-wal"],
           "wal-and-shm": ["spool.db-wal", "spool.db-shm"], "all": ["spool.db", "spool.db-wal", "spool.db-shm", "spool.tally", "spool.lock"]}


@scenario(
    row="S7",
    expect="no crash; documents go on arriving now and after the next start",
    runs={subset: dict(subset=subset) for subset in SUBSETS},
    short=["database"],
)
def deleted_while_running(rig, subset):
    collector = rig.collector()
    collector.start()
    collector.wait_fresh()
    for name in SUBSETS[subset]:
        path = os.path.join(collector.state_dir, name)
        if os.path.exists(path):
            os.unlink(path)
    rig.count("faults")
    before = collector.count_stored()
    eventually(lambda: collector.count_stored() > before + 10, PATIENCE_S, f"documents go on, see {collector.log_path}")
    assert collector.running
    collector.stop()
    cursor = collector.highest_stored()
    live_after(rig, collector, cursor, equation=False)


@scenario(
    row="S7",
    expect="everything is gone: a new spool, and what was stored stays",
    runs={"all": {}},
)
def everything_deleted(rig):
    """Nothing is left that could count; nothing waited, so nothing is lost."""
    collector, cursor = live_before(rig, backlog=False, closed=True)
    stored = collector.highest_stored()
    assert stored == cursor
    for name in SUBSETS["all"]:
        path = os.path.join(collector.state_dir, name)
        if os.path.exists(path):
            os.unlink(path)
    rig.count("faults")
    live_after(rig, collector, cursor)


@scenario(
    row="S8",
    expect="files of another spool: numbers are not used again, nothing is stored twice",
    runs={"copy-beside": dict(what="beside"), "spool-of-another": dict(what="foreign"), "wal-of-another": dict(what="wal"), "wal-of-before": dict(what="old-wal")},
)
def foreign_files(rig, what):
    other = rig.collector("other", size=500)
    other.origin = "other"
    other.configure()
    other.start()
    other.wait_fresh()
    rig.kill(other)
    collector = rig.collector(size=500)
    collector.start()
    collector.wait_fresh()
    if what == "old-wal":
        collector.stop()
        collector.start()
        eventually(lambda: os.path.exists(wal_of(collector)) and os.path.getsize(wal_of(collector)) > 0, PATIENCE_S, "a WAL")
        shutil.copy(wal_of(collector), collector.state_dir + ".wal")
        collector.wait_fresh()
        collector.stop()
        cursor = oracle.read_spool(collector.state_dir).cursor
        shutil.copy(collector.state_dir + ".wal", wal_of(collector))
    elif what == "wal":
        rig.kill(collector)
        cursor = oracle.read_spool(collector.state_dir).cursor
        collector.start()
        collector.wait_fresh()
        collector.stop()
        cursor = oracle.read_spool(collector.state_dir).cursor
        shutil.copy(wal_of(other), wal_of(collector))
    else:
        collector.stop()
        cursor = oracle.read_spool(collector.state_dir).cursor
        for suffix in ("", "-wal"):
            target = collector.state_dir + "/spool.db" + (".copy" if what == "beside" else "") + suffix
            if os.path.exists(other.state_dir + "/spool.db" + suffix):
                shutil.copy(other.state_dir + "/spool.db" + suffix, target)
    rig.count("faults")
    if what == "foreign":  # its own is gone, and with it the count of what it had; nothing waited
        live_after(rig, collector, cursor, equation=False)
    else:
        live_after(rig, collector, cursor)
    rig.settle(other)


def wal_of(collector):
    return os.path.join(collector.state_dir, "spool.db-wal")


FORMAT_1 = """
CREATE TABLE epoch (id INTEGER PRIMARY KEY, epoch TEXT NOT NULL UNIQUE, collector_id TEXT NOT NULL, last_seq INTEGER NOT NULL DEFAULT 0,
  produced INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE batch (seq INTEGER PRIMARY KEY, plugin TEXT NOT NULL, documents INTEGER NOT NULL, first_unix_ns INTEGER NOT NULL, last_unix_ns INTEGER NOT NULL,
  sealed_unix_ns INTEGER NOT NULL, encoding TEXT NOT NULL, crc32 INTEGER NOT NULL, body_bytes INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE state (plugin TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (plugin, key)) STRICT, WITHOUT ROWID;
CREATE TABLE loss (id INTEGER PRIMARY KEY, reason TEXT NOT NULL, epoch TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
  documents INTEGER NOT NULL, first_unix_ns INTEGER NOT NULL, last_unix_ns INTEGER NOT NULL, carrier INTEGER) STRICT;
CREATE TABLE value (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def write_format_1(collector, batches, first_seq=1, loss=0):
    """A spool as version 0.1.0 left it, with `batches` batches of one document waiting; the `loss` before them are in its ledger."""
    path = os.path.join(collector.state_dir, "spool.db")
    database = sqlite3.connect(path)
    database.executescript("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;" + FORMAT_1)
    epoch = os.urandom(16).hex()
    now_ns = time.time_ns()
    last = first_seq + loss + batches - 1
    database.execute("insert into epoch (epoch, collector_id, last_seq, produced, acknowledged, lost) values (?, ?, ?, ?, 0, ?)", (epoch, collector.id, last, loss + batches, loss))
    if loss:
        database.execute("insert into loss (reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns) values ('size', ?, ?, ?, ?, ?, ?)",
                         (epoch, first_seq, first_seq + loss - 1, loss, now_ns, now_ns))
    for seq in range(first_seq + loss, last + 1):
        document = {"type": "fault_counter", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), "serial": seq, "origin": ""}
        envelope = json.dumps({"collector_id": collector.id, "hostname": "h", "version": "0.1.0", "epoch": epoch, "seq": seq, "metrics": [document]}, separators=(",", ":")).encode()
        compressor = zlib.compressobj(wbits=31)
        body = compressor.compress(envelope) + compressor.flush()
        database.execute("insert into batch values (?, 'fault_counter', 1, ?, ?, ?, 'gzip', ?, ?, ?)", (seq, now_ns, now_ns, now_ns, zlib.crc32(body), len(body), body))
    database.execute("insert into state values ('fault_counter', 'serial', ?)", (str(last).encode(),))
    database.commit()
    database.close()
    os.chmod(path, 0o600)


@scenario(
    row="S17",
    expect="a spool of the format before: every batch that waited arrives, the ledger is told, counting goes on",
    runs={"waiting": dict(batches=40), "with-a-ledger": dict(batches=20, loss=7), "nothing-waits": dict(batches=0), "killed-in-between": dict(batches=40, kills=15)},
    short=["waiting"],
)
def format_1(rig, batches, loss=0, kills=0):
    collector = rig.collector()
    if os.path.exists(os.path.join(collector.state_dir, "spool.db")):
        os.unlink(os.path.join(collector.state_dir, "spool.db"))
    write_format_1(collector, batches, loss=loss)
    for _ in range(kills):
        collector.start()
        time.sleep(rig.random.uniform(0, 0.05))  # the moment: random on purpose
        rig.kill(collector)
    rig.settle(collector)


@scenario(
    row="S17",
    expect="a spool of a newer program is refused with a HINT and left as it is",
    runs={"newer": {}},
)
def newer_format(rig):
    collector, _ = live_before(rig, backlog=True, closed=True)
    path = os.path.join(collector.state_dir, "spool.db")

    def set_format(number):
        database = sqlite3.connect(path)
        known = database.execute("pragma user_version").fetchone()[0]
        if database.execute("pragma application_id").fetchone()[0]:
            database.execute(f"pragma application_id = {0x50470000 | 0x101 * number}")
        database.execute(f"pragma user_version = {number}")
        database.commit()
        database.close()
        return known

    known = set_format(99)
    with open(path, "rb") as file:
        before = file.read()
    collector.start()
    assert collector.process.wait(20) != 0 and "HINT" in collector.log(), collector.log()[-500:]
    with open(path, "rb") as file:
        assert file.read() == before, "it changed the file"
    set_format(known)
    collector.push_to(None)
    rig.settle(collector)


