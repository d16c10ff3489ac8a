"""What must hold of one collector's documents whatever happened on the way, read where it cannot be prettied: the server's own
database (psql) and the collector's spool file (sqlite3).

Every document of the plugin fault_counter has a serial number whose cursor is committed with it. When faults are over and the collector
has stopped, check() holds these against each other:

  twice      no (epoch, seq, part, index) and no serial is stored twice
  missing    every serial from the first to the cursor is stored, waits in the spool, or is counted as lost
  holes      every seq of every epoch is stored, waits, or lies in a loss record: one delivered, or one in the ledger
  equation   produced = stored + rejected + counted lost + spooled, for every epoch that the spool knows

    python3 oracle.py --database CONNINFO --collector ID STATE_DIR...      prints what is wrong; exit status 1 if anything is
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field

COUNTER = "fault_counter"
FOLDED_EPOCH = "0" * 32  # the sums of epochs that ended long ago: core/spool/ledger.h
LOSS_REASONS = {"age", "size", "space", "memory", "corrupt", "poison", "too_large", "shutdown"}


@dataclass(frozen=True)
class Loss:
    reason: str
    epoch: str
    first_seq: int
    last_seq: int
    documents: int


@dataclass
class Spool:
    """What one state folder says."""

    epochs: dict = field(default_factory=dict)  # epoch -> {"last_seq", "produced", "acknowledged", "lost", "collector_id"}
    waiting: dict = field(default_factory=dict)  # (epoch, seq, part) -> documents
    waiting_counted: int = 0  # documents of fault_counter among them
    losses: list = field(default_factory=list)  # the ledger: of which the server does not know yet
    carriers: list = field(default_factory=list)  # of each of them: the key of the waiting batch that tells it, or None
    cursor: int = 0  # the newest serial that was committed
    current: str = ""  # the epoch that grows


@dataclass
class Stored:
    """What the server has of one collector."""

    batches: dict = field(default_factory=dict)  # (epoch, seq, part) -> (accepted, rejected)
    keys: list = field(default_factory=list)  # (epoch, seq, part, index) of every document
    serials: list = field(default_factory=list)  # (origin, serial)
    losses: list = field(default_factory=list)


@dataclass
class Verdict:
    problems: list = field(default_factory=list)
    documents: int = 0  # of the counter, stored
    lost: int = 0  # not stored and not counted: what must be 0
    duplicated: int = 0
    counted_lost: int = 0
    spooled: int = 0

    def __str__(self):
        return "\n".join(f"  - {problem}" for problem in self.problems) or "  nothing is wrong"


# Reading ------------------------------------------------------------------------------------------------------------------------


def query(conninfo, statement):
    """Rows as lists of text; psql, because it is there wherever the server is."""
    done = subprocess.run(["psql", "-X", "-q", "-At", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-c", statement],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    if done.returncode != 0:
        raise OSError(f"psql: {done.stderr.strip()}")
    text = done.stdout[:-1] if done.stdout.endswith("\n") else done.stdout
    return [row.split("\x1f") for row in text.split("\x1e")] if text else []


def has_part(conninfo, table):
    return bool(query(conninfo, "select 1 from information_schema.columns where table_schema = 'pganalytics'"
                                f" and table_name = '{table}' and column_name = 'part'"))


def read_stored(conninfo, collector_ids):
    stored = Stored()
    of_collector = "where collector_id in ({})".format(", ".join(f"'{id_}'" for id_ in collector_ids))
    part = "part" if has_part(conninfo, "batches") else "''"
    for epoch, seq, piece, accepted, rejected in query(conninfo, f"select epoch, seq, {part}, accepted, rejected from pganalytics.batches {of_collector}"):
        stored.batches[epoch, int(seq), piece] = (int(accepted), int(rejected))
    part = "part" if has_part(conninfo, "documents") else "''"
    for epoch, seq, piece, index, type_, serial, origin, losses in query(
            conninfo, f"select epoch, seq, {part}, index, type, document->>'serial', document->>'origin', document->'losses'"
                      f" from pganalytics.documents {of_collector}"):
        stored.keys.append((epoch, int(seq), piece, int(index)))
        if type_ == COUNTER:
            stored.serials.append((origin, int(serial)))
        elif type_ == "collector":
            stored.losses += [loss_of(loss) for loss in json.loads(losses or "[]")]
    return stored


def loss_of(row):
    return Loss(row["reason"], row["epoch"], row["first_seq"], row["last_seq"], row["documents"])


def read_spool(state_dir):
    """A copy is read, so that nothing of the spool changes: a WAL that a killed collector left is still there for the next one."""
    spool = Spool()
    path = os.path.join(state_dir, "spool.db")
    if not os.path.exists(path):
        return spool
    folder = tempfile.mkdtemp(prefix="pga-oracle-")
    try:
        for suffix in ("", "-wal"):
            if os.path.exists(path + suffix):
                shutil.copy(path + suffix, os.path.join(folder, "spool.db" + suffix))
        database = sqlite3.connect(os.path.join(folder, "spool.db"))
        database.row_factory = sqlite3.Row
        take_tables(database, spool)
        database.close()
    finally:
        shutil.rmtree(folder)
    return spool


def take_tables(database, spool):
    for row in database.execute("select * from epoch order by rowid"):
        spool.epochs[row["epoch"]] = {name: row[name] for name in ("last_seq", "produced", "acknowledged", "lost", "collector_id")}
    newest = list(spool.epochs)[-1] if spool.epochs else ""
    is_format_1 = database.execute("pragma user_version").fetchone()[0] == 1
    row = None if is_format_1 else database.execute("select epoch from spool").fetchone()
    spool.current = row[0] if row else newest
    columns = {row[1] for row in database.execute("pragma table_info(batch)")}
    keys = {}
    for row in database.execute("select * from batch"):
        key = (row["epoch"] if "epoch" in columns else newest, row["seq"], row["part"] if "part" in columns else "")
        spool.waiting[key] = row["documents"]
        if "id" in columns:
            keys[row["id"]] = key
        spool.waiting_counted += row["documents"] if row["plugin"] == COUNTER else 0
    for row in database.execute("select * from loss"):
        spool.losses.append(loss_of(row))
        spool.carriers.append(keys.get(row["carrier"]) if "carrier" in row.keys() else None)
    cursor = database.execute("select value from state where plugin = ? and key = 'serial'", (COUNTER,)).fetchone()
    spool.cursor = int(cursor[0]) if cursor else 0


# Judging ------------------------------------------------------------------------------------------------------------------------


def shortened(items, room=8):
    items = list(items)
    return ", ".join(map(str, items[:room])) + (f" and {len(items) - room} more" if len(items) > room else "")


def check_twice(stored, verdict):
    for what, counts in (("documents", Counter(stored.keys)), ("serials", Counter(stored.serials))):
        twice = {key: count for key, count in counts.items() if count > 1}
        if twice:
            verdict.problems.append(f"{what} stored more than once: {shortened(f'{key} {count} times' for key, count in twice.items())}")
            verdict.duplicated = max(verdict.duplicated, sum(count - 1 for count in twice.values()))


def seqs_of_losses(losses):
    covered = defaultdict(set)
    for loss in losses:
        covered[loss.epoch].update(range(loss.first_seq, loss.last_seq + 1))
    return covered


def check_holes(stored, spools, losses, verdict, moved):
    """A part stands for its whole here: parts that are missing show in the equation. moved: batches may have been sealed again, so that
    their numbers of the epoch before are nowhere; then only the epochs that grow are looked at."""
    present = defaultdict(set)
    for epoch, seq, _ in list(stored.batches) + [key for spool in spools for key in spool.waiting]:
        present[epoch].add(seq)
    last = {epoch: max(seqs) for epoch, seqs in present.items()}
    for spool in spools:
        for epoch, row in spool.epochs.items():
            last[epoch] = max(last.get(epoch, 0), row["last_seq"])
    covered = seqs_of_losses(losses)
    growing = {spool.current for spool in spools}
    for epoch, newest in last.items():
        if moved and epoch not in growing:
            continue
        missing = sorted(set(range(1, newest + 1)) - present[epoch] - covered[epoch])
        if missing:
            verdict.problems.append(f"epoch {epoch}: {len(missing)} of {newest} batches are nowhere and in no loss record: seq {shortened(missing)}")


def stored_all_the_same(stored, losses, epoch):
    """Documents of batches that were counted as lost with the file, or the memory, that had them, while the server's acknowledgement was still to
    come: those may be on both sides, because nobody was left to know better."""
    covered = seqs_of_losses([loss for loss in losses if loss.reason in ("corrupt", "memory")])[epoch]
    return sum(sum(counts) for key, counts in stored.batches.items() if key[0] == epoch and key[1] in covered)


def check_equation(stored, spools, losses, verdict):
    for spool in spools:
        for epoch, row in spool.epochs.items():
            if epoch == FOLDED_EPOCH:
                continue
            accepted = sum(counts[0] for key, counts in stored.batches.items() if key[0] == epoch)
            rejected = sum(counts[1] for key, counts in stored.batches.items() if key[0] == epoch)
            lost = sum(loss.documents for loss in losses if loss.epoch == epoch)
            # One whose acknowledgement did not arrive is on both sides: it counts once.
            waiting = sum(count for key, count in spool.waiting.items() if key[0] == epoch and key not in stored.batches)
            told = accepted + rejected + lost + waiting
            if row["produced"] != told and not 0 < told - row["produced"] <= stored_all_the_same(stored, losses, epoch):
                verdict.problems.append(f"epoch {epoch}: produced {row['produced']} is not stored {accepted} + rejected {rejected} + counted lost {lost} + spooled {waiting}")


def check_missing(stored, spools, losses, verdict, origins):
    """Serials that are neither stored nor waiting, against the documents that the loss records count."""
    by_origin = defaultdict(set)
    for origin, serial in stored.serials:
        by_origin[origin].add(serial)
    missing = []
    for origin, (first, last) in origins(by_origin, spools).items():
        missing += [(origin, serial) if origin else serial for serial in range(first, last + 1) if serial not in by_origin[origin]]
    delivered_twice = sum(1 for spool in spools for key in spool.waiting if key in stored.batches)
    waiting = sum(spool.waiting_counted for spool in spools)
    lost = sum(loss.documents for loss in losses)
    verdict.spooled, verdict.counted_lost = waiting, lost
    # Reports of the collector itself may be among what is lost or waits and was stored: those only make the right side larger.
    if len(missing) > waiting + lost:
        verdict.lost = len(missing) - waiting - lost
        verdict.problems.append(f"{len(missing)} serials are not stored, but only {waiting} wait and {lost} are counted as lost: {shortened(missing)}")
    elif lost and not delivered_twice and waiting == 0 and lost - len(missing) > sum(loss.last_seq - loss.first_seq + 1 for loss in losses):
        verdict.problems.append(f"{lost} documents are counted as lost, but only {len(missing)} are not stored")


def one_folder(by_origin, spools):
    """One state folder for all its life: serials run from 1 to the cursor, whatever the origin was called meanwhile."""
    origin = next(iter(by_origin), "")
    return {origin: (1, max([spool.cursor for spool in spools] + [max(by_origin[origin], default=0)]))}


def check(conninfo, collector_ids, state_dirs, origins=one_folder, equation=True, moved=False):
    """The verdict over a collector and its folders, whatever ids it has had. origins(serials by origin, spools) -> {origin: (first, last)} says which serials there must be;
    equation=False where an epoch lives in more than one folder, so that no folder's own figures are the whole; moved: see check_holes()."""
    stored = read_stored(conninfo, collector_ids)
    spools = [read_spool(state_dir) for state_dir in state_dirs]
    for spool in spools:  # a spool that was another's once remembers what it made then, and the server has that under the other's name
        spool.epochs = {epoch: row for epoch, row in spool.epochs.items() if row["collector_id"] in collector_ids}
    # The same record may be in the ledger and, its acknowledgement lost, on the server; after a repair it may be told twice.
    once = list(dict.fromkeys(stored.losses + [loss for spool in spools for loss in spool.losses]))
    verdict = judge(stored, spools, once, origins, equation, moved)
    if verdict.problems:  # or two documents of one batch were lost one after the other, in equal words
        untold = [loss for spool in spools for loss, carrier in zip(spool.losses, spool.carriers) if carrier not in stored.batches]
        other = judge(stored, spools, stored.losses + untold, origins, equation, moved)
        verdict = verdict if other.problems else other
    return verdict


def judge(stored, spools, losses, origins, equation, moved):
    verdict = Verdict(documents=len(stored.serials))
    for loss in losses:
        if loss.reason not in LOSS_REASONS or loss.first_seq > loss.last_seq:
            verdict.problems.append(f"a loss record that says nothing: {loss}")
    check_twice(stored, verdict)
    check_holes(stored, spools, losses, verdict, moved)
    check_missing(stored, spools, losses, verdict, origins)
    if equation:
        check_equation(stored, spools, losses, verdict)
    return verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", required=True, help="conninfo of the server's database")
    parser.add_argument("--collector", required=True, action="append", help="its id; several if it had several")
    parser.add_argument("state_dir", nargs="+")
    chosen = parser.parse_args()
    verdict = check(chosen.database, chosen.collector, chosen.state_dir)
    print(f"{verdict.documents} documents stored, {verdict.spooled} spooled, {verdict.counted_lost} counted as lost, "
          f"{verdict.lost} lost, {verdict.duplicated} duplicated\n{verdict}")
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
