"""The oracle itself: a real run that it finds well, broken by hand in one way after another; it must name each."""

import os
import sqlite3

import pytest

import oracle
from rig import Rig, Site, make_folder, remove_folder


@pytest.fixture(scope="module")
def settled():
    folder = make_folder("pga-oracle-")
    site = Site(os.path.join(folder, "site"))
    rig = Rig(site, os.path.join(folder, "run"), 1)
    try:
        collector = rig.collector()
        collector.start()
        collector.wait_fresh()
        rig.settle(collector)
        yield site, collector
        rig.close()
    finally:
        site.close()
        remove_folder(folder)


@pytest.fixture
def broken(settled):
    """broken(sql for the server, sql for the spool) -> what the oracle says of it. Everything is put back afterwards."""
    site, collector = settled
    path = os.path.join(collector.state_dir, "spool.db")
    with open(path, "rb") as file:
        spool = file.read()
    tables = ("documents", "batches")
    for table in tables:
        site.postgres.sql(f"create table kept_{table} as table pganalytics.{table}", "pganalytics")

    def break_it(server="", in_spool=""):
        if server:
            site.postgres.sql(server.format(documents="pganalytics.documents", batches="pganalytics.batches"), "pganalytics")
        if in_spool:
            with sqlite3.connect(path) as database:
                database.executescript(in_spool)
            database.close()
        return oracle.check(site.database, collector.ids, [collector.state_dir])

    yield break_it
    for table in reversed(tables):
        overriding = "overriding system value" if table == "documents" else ""
        site.postgres.sql(f"delete from pganalytics.{table}", "pganalytics")
        site.postgres.sql(f"insert into pganalytics.{table} {overriding} table kept_{table}; drop table kept_{table}", "pganalytics")
    with open(path, "wb") as file:
        file.write(spool)


def epoch_of(settled):
    return next(iter(oracle.read_spool(settled[1].state_dir).epochs))


def ledger_row(settled, seq, documents, reason="size"):
    """A loss in the ledger, as the spool would have written it but for its checksum, which is not the oracle's matter."""
    path = os.path.join(settled[1].state_dir, "spool.db")
    with sqlite3.connect(path) as database:
        columns = {row[1]: row[2] for row in database.execute("pragma table_info(loss)")}
    database.close()
    values = {"reason": f"'{reason}'", "epoch": f"'{epoch_of(settled)}'", "first_seq": seq, "last_seq": seq, "documents": documents}
    names = [name for name in columns if name not in ("id", "carrier")]
    return f"insert into loss ({', '.join(names)}) values ({', '.join(str(values.get(name, 0)) for name in names)})"


def says(verdict, text):
    return any(text in problem for problem in verdict.problems)


def documents_of(settled, seq):
    accepted = [counts[0] for key, counts in oracle.read_stored(settled[0].database, settled[1].ids).batches.items() if key[1] == seq]
    return sum(accepted)


def test_a_sound_run_is_sound(broken):
    verdict = broken()
    assert not verdict.problems and verdict.documents > 2 and verdict.lost == verdict.duplicated == verdict.counted_lost == 0


def test_a_deleted_document_is_missed(broken):
    verdict = broken("delete from {documents} where type = 'fault_counter' and document->>'serial' = '1'")
    assert verdict.lost == 1 and says(verdict, "1 serials are not stored, but only 0 wait and 0 are counted as lost: 1")


def test_a_document_stored_twice_is_seen(broken):
    verdict = broken("create temp table twice as select * from {documents} where type = 'fault_counter' limit 1;"
                     " update twice set id = (select max(id) + 1 from {documents});"
                     " insert into {documents} overriding system value select * from twice")
    assert verdict.duplicated == 1 and says(verdict, "documents stored more than once") and says(verdict, "serials stored more than once")


def test_the_same_serial_under_another_number_is_seen(broken):
    verdict = broken("create temp table twice as select * from {documents} where type = 'fault_counter' limit 1;"
                     " update twice set id = (select max(id) + 1 from {documents}), seq = 1000000;"
                     " insert into {documents} overriding system value select * from twice")
    assert verdict.duplicated == 1 and says(verdict, "serials stored more than once")


def test_a_whole_batch_that_is_nowhere_is_a_hole(broken, settled):
    verdict = broken("delete from {documents} where seq = 1; delete from {batches} where seq = 1")
    assert says(verdict, "1 of") and says(verdict, "in no loss record: seq 1") and says(verdict, "is not stored")


def test_a_batch_in_the_ledger_is_no_hole(broken, settled):
    count = documents_of(settled, 1)
    verdict = broken("delete from {documents} where seq = 1; delete from {batches} where seq = 1", ledger_row(settled, 1, count))
    assert not verdict.problems and verdict.counted_lost == count


def test_a_loss_record_with_another_count_breaks_the_equation(broken, settled):
    verdict = broken("delete from {documents} where seq = 1; delete from {batches} where seq = 1", ledger_row(settled, 1, documents_of(settled, 1) + 5))
    assert says(verdict, "produced")


def test_a_loss_that_was_none_breaks_the_equation(broken, settled):
    assert says(broken(in_spool=ledger_row(settled, 1, 1)), "produced")


def test_a_loss_without_a_known_reason_is_refused(broken, settled):
    assert says(broken(in_spool=ledger_row(settled, 1, 0, "because")), "says nothing")


def test_a_spool_that_forgot_what_it_made_breaks_the_equation(broken):
    assert says(broken(in_spool="update epoch set produced = produced - 1"), "produced")


def test_a_cursor_ahead_of_the_documents_is_seen(broken):
    verdict = broken(in_spool="update state set value = cast(cast(value as integer) + 3 as blob) where plugin = 'fault_counter'")
    assert verdict.lost == 3 and says(verdict, "3 serials are not stored")
