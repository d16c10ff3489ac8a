"""The server's database fails it in every way while pushes arrive: 503 and when to come again, then all that was acknowledged is there once.

Not here: the collector's side of it, and the same faults at random moments and by the hundred (tests/fault/delivery, row B1)."""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

import pytest

from conftest import BINARIES
from harness import mounts
from harness.postgres import Postgres
from harness.pusher import Pusher, check_refused_politely, check_stored_once
from harness.server import Server
from harness.wait import eventually

# The longest wait for a free connection (5 s), and for the answer to one call (15 s); behind both the client has 30 s.
MOST_S = 25


class Rig:
    """A server on a database of its own, and two who push to it."""

    def __init__(self, binaries, folder, conninfo):
        self.server = Server(binaries, folder, f'[database]\nurl = "{conninfo}"\n[limits]\npush_per_second = 1000\npush_burst = 1000\n')
        self.server.start()
        self.pushers = []

    def push(self):
        """From here on; settle() ends it."""
        self.pushers = [Pusher([self.server], name).start() for name in ("one", "two")]
        self.wait_for_more()

    def wait_for_more(self):
        """Each of them has three numbers more acknowledged."""
        before = [pusher.acknowledged for pusher in self.pushers]
        eventually(lambda: all(p.acknowledged >= b + 3 for p, b in zip(self.pushers, before)), 60,
                   lambda: f"three pushes more of each: {[p.answers[-3:] for p in self.pushers]}")

    def wait_for_refusals(self):
        before = [len(pusher.answers) for pusher in self.pushers]
        eventually(lambda: all(503 in p.statuses(b) for p, b in zip(self.pushers, before)), 60,
                   lambda: f"503 for each: {[p.answers[-3:] for p in self.pushers]}")

    def wait_for_health(self, status):
        eventually(lambda: self.server.request("GET", "/api/v1/health").status == status, 30, f"health says {status}")

    def settle(self, postgres):
        self.wait_for_more()
        self.wait_for_health(200)
        for pusher in self.pushers:
            pusher.finish()
        assert self.server.process.poll() is None
        check_refused_politely(self.pushers, MOST_S)
        check_stored_once(self.pushers, lambda statement: postgres.sql(statement, "pganalytics"))


@contextlib.contextmanager
def folder_of_its_own():
    path = tempfile.mkdtemp(prefix="pga-system-", dir="/tmp")
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def rig_on(postgres, conninfo=None):
    with folder_of_its_own() as folder:
        postgres.sql("create database pganalytics")
        made = Rig(os.path.abspath(BINARIES), folder, conninfo or postgres.conninfo("pganalytics"))
        try:
            yield made
        finally:
            made.server.close()


def frozen_and_thawed():
    postgres = Postgres()
    try:
        with rig_on(postgres) as rig:
            rig.push()
            postgres.signal_all(signal.SIGSTOP)
            try:
                rig.wait_for_refusals()
                rig.wait_for_health(503)
            finally:
                postgres.signal_all(signal.SIGCONT)
            rig.settle(postgres)
    finally:
        postgres.close()


def silent(primary):
    """As a machine that hangs: it takes connections and says nothing; what there was of sessions is gone."""
    postmaster, *children = primary.pids()
    os.kill(postmaster, signal.SIGSTOP)
    for child in children:
        os.kill(child, signal.SIGTERM)


def failed_over_to_the_standby(lose):
    primary = Postgres()
    try:
        standby = Postgres.standby_of(primary)
        try:
            hosts = f"host={primary.dir},{standby.dir} dbname=pganalytics user=postgres target_session_attrs=read-write"
            with rig_on(primary, hosts) as rig:
                rig.push()
                lose(primary)
                rig.wait_for_refusals()  # the standby alone may not be written to
                rig.wait_for_health(503)
                standby.promote()
                rig.settle(standby)
        finally:
            standby.close()
    finally:
        primary.kill()
        primary.close()


# These wait for calls to end that nobody answers (15 s), so they are begun together and go on beside the other tests: each has databases and a server of its
# own, and shares nothing with them but the machine.
SCENARIOS = {"frozen and thawed": frozen_and_thawed,
             "failed over, killed": lambda: failed_over_to_the_standby(Postgres.kill),
             "failed over, silent": lambda: failed_over_to_the_standby(silent)}


@pytest.fixture(scope="module", autouse=True)
def under_way(request):
    """{name: its future} of those that are to be tested."""
    wanted = {item.callspec.params.get("scenario") for item in request.session.items if hasattr(item, "callspec")}
    with concurrent.futures.ThreadPoolExecutor(len(SCENARIOS)) as threads:
        yield {name: threads.submit(scenario) for name, scenario in SCENARIOS.items() if name in wanted}


@pytest.fixture(scope="module")
def postgres():
    """One for all tests that leave it as it was."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="module")
def rig(postgres):
    with rig_on(postgres) as shared:
        yield shared


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_stopped_and_started(postgres, rig, mode):
    rig.push()
    postgres.stop(mode)
    rig.wait_for_refusals()
    rig.wait_for_health(503)
    postgres.start()
    rig.settle(postgres)


def test_restarted_while_pushes_come(postgres, rig):
    rig.push()
    for mode in ("fast", "immediate", "fast"):
        postgres.stop(mode)
        postgres.start()
        rig.wait_for_more()
    rig.settle(postgres)


def test_read_only_for_a_while(postgres, rig):
    """Sessions that were opened meanwhile stay read-only: the server must not keep them."""
    rig.push()
    postgres.sql("alter database pganalytics set default_transaction_read_only = on")
    postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pganalytics-server'")
    rig.wait_for_refusals()
    postgres.sql("alter database pganalytics reset default_transaction_read_only")
    rig.settle(postgres)


def runs_again(postgres):
    """Started, if it has ended: it may be about to when there is room again."""
    if not postgres.pids():
        postgres.start()
    return postgres.sql("select 1", check=False) == "1"


def test_no_room_on_its_disk(folder):
    """The whole data directory, write-ahead log included, where PostgreSQL ends itself when it cannot write."""
    place = os.path.join(folder, "disk")
    os.mkdir(place)
    try:
        mounts.mount("none", place, "tmpfs", options="size=200m")
    except OSError as error:
        pytest.skip(f"no mounts of our own: {error}")
    filler = os.path.join(place, "filler")
    try:
        postgres = Postgres({"max_wal_size": "32MB"}, place=place)
        with rig_on(postgres) as rig:
            rig.push()
            # All that is left but a little, of which the log is soon the end.
            subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], stderr=subprocess.DEVNULL)
            postgres.sql("select pg_switch_wal()", check=False)
            rig.wait_for_refusals()
            os.unlink(filler)
            eventually(lambda: runs_again(postgres), 60, "PostgreSQL runs again")
            rig.settle(postgres)
        postgres.close()
    finally:
        mounts.unmount(place)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_database_that_says_nothing(under_way, scenario):
    under_way[scenario].result()
