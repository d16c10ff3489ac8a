"""B1, B2, N8, N9: the server is killed, at the very commit or anywhere, its database fails it in every way, and all come back at once."""

import os
import signal
import subprocess
import time

import oracle
from network import killed_server
from network.hurry import hurry
from network.storm import Storm
from harness.server import Server
from rig import BINARIES, SERVER_LIMITS, eventually
from scenario import scenario

HURRY = 10


def hurried(rig, number, interval="2s", **options):
    """Collectors that live ten times as fast; with the usual interval they bring five batches a second each."""
    collectors = [hurry(rig.collector(interval=interval, **options), HURRY) for _ in range(number)]
    for collector in collectors:
        collector.start()
    return collectors


def settle_all(rig, collectors):
    for collector in collectors:
        rig.settle(collector)


# --- B2, N8: the server dies --------------------------------------------------------------------------------------------------


def stored_and_waiting(rig, collector):
    """Batches that the server has and the collector does not know of: their answers were never sent."""
    waiting = collector.spool_value("select group_concat(epoch || '.' || seq) from batch")
    keys = ", ".join(f"'{key}'" for key in (waiting or "").split(","))
    return int(oracle.query(rig.site.database, "select count(*) from pganalytics.batches "
                                               f"where collector_id = '{collector.id}' and epoch || '.' || seq in ({keys})")[0][0])


@scenario(
    row="B2",
    expect="committed and not answered: sent again, known again, stored once",
    runs={"few": dict(kills=12), **{f"after-{number}": dict(kills=250) for number in range(1, 5)}, "before": dict(kills=60, when="before"),
          "many-documents": dict(kills=60, documents=150), "first-commit": dict(kills=40, last=1)},
    short=["few"],
    limit_s=900,
)
def killed_at_commit(rig, kills, when="after", last=12, **options):
    """The server is killed when PostgreSQL has said COMMIT to a push (or is about to be told it), again and again."""
    collectors = hurried(rig, 6, **options)
    rig.server.stop()
    for number in range(kills):
        killed_server.start(rig.server, FAULT_COMMIT=str(rig.random.randint(1, last)), FAULT_WHEN=when)
        killed_server.wait_until_killed(rig.server, 90)
        rig.count("server_kills")
        rig.count("commit_kills", when == "after")
        if when == "after" and number % 10 == 0:
            assert any(stored_and_waiting(rig, collector) for collector in collectors), "the kill was not between the commit and the answer"
    rig.server.start()
    settle_all(rig, collectors)


@scenario(
    row="N8",
    expect="a server that is restarted all the time loses nothing and stores nothing twice",
    runs={**{f"killed-{number}": dict(times=200) for number in range(1, 5)}, "stopped": dict(times=60, how=signal.SIGTERM), "stopped-busy": dict(times=40, how=signal.SIGTERM, documents=100),
          "killed-busy": dict(times=100, documents=150)},
    limit_s=900,
)
def restarted_server(rig, times, how=signal.SIGKILL, **options):
    collectors = hurried(rig, 5, **options)
    for _ in range(times):
        rig.server.process.send_signal(how)
        rig.server.process.wait(40)
        rig.count("server_kills" if how == signal.SIGKILL else "restarts")
        killed_server.start(rig.server)
        time.sleep(rig.random.uniform(0, 0.4))  # the moment of the next: from before the first handshake to the middle of pushes
    settle_all(rig, collectors)


# --- B1: its database fails it ------------------------------------------------------------------------------------------------


def pids_of(postgres):
    """Its processes, the postmaster first."""
    with open(os.path.join(postgres.data, "postmaster.pid")) as file:
        postmaster = int(file.readline())
    children = subprocess.run(["pgrep", "-P", str(postmaster)], stdout=subprocess.PIPE, text=True).stdout.split()
    return [postmaster, *map(int, children)]


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def is_gone(pid):
    try:
        os.kill(pid, 0)
        return False
    except ProcessLookupError:
        return True


def kill_postgres(postgres):
    """As the kernel's memory killer does: SIGKILL of the postmaster, whose children follow when they notice."""
    pids = pids_of(postgres)
    os.kill(pids[0], signal.SIGKILL)
    eventually(lambda: all(is_gone(pid) for pid in pids), 30, "PostgreSQL and its children are gone")


@scenario(
    row="B1",
    expect="without its database the server says 503 and when to come again; nothing is lost",
    runs={"stopped": dict(mode="fast", seconds=3), "crashed": dict(mode="immediate", seconds=3), "crashed-again-and-again": dict(mode="immediate", times=25),
          "killed-again-and-again": dict(mode="kill", times=15), "restarted-again-and-again": dict(mode="fast", times=15), "crashed-busy": dict(mode="immediate", times=8, documents=200)},
    short=["crashed"],
    limit_s=600,
)
def database_down(rig, mode, seconds=0.0, times=1, **options):
    collectors = hurried(rig, 3, **options)
    collectors[0].wait_fresh()
    for _ in range(times):
        time.sleep(rig.random.uniform(0, 0.3))
        kill_postgres(rig.postgres) if mode == "kill" else rig.postgres.stop(mode)
        rig.count("database_kills")
        time.sleep(seconds or rig.random.uniform(0, 0.5))
        assert rig.server.process.poll() is None, "the server ended with its database"
        rig.postgres.start()
    settle_all(rig, collectors)


@scenario(row="B1", expect="a database that hangs is waited for within limits, then 503", runs={"stopped-processes": dict(how="stop"), "locked-table": dict(how="lock"), "locked-batches": dict(how="lock_batches")},
          limit_s=400)
def database_hangs(rig, how, seconds=8):
    collectors = hurried(rig, 3)
    collectors[0].wait_fresh()
    if how == "stop":
        pids = pids_of(rig.postgres)
        signal_all(pids, signal.SIGSTOP)
        time.sleep(seconds)
        signal_all(pids, signal.SIGCONT)
    else:
        table = {"lock": "documents", "lock_batches": "batches"}[how]
        rig.postgres.sql(f"begin; lock table pganalytics.{table} in access exclusive mode; select pg_sleep({seconds}); commit", "pganalytics")
    rig.count("faults")
    assert rig.server.process.poll() is None
    settle_all(rig, collectors)


@scenario(row="B1", expect="connections that PostgreSQL ends, at any moment of a push, cost a retry", runs={"terminated": dict(how="pg_terminate_backend"), "cancelled": dict(how="pg_cancel_backend")})
def database_ends_connections(rig, how, times=120):
    collectors = hurried(rig, 5, interval="1s")
    collectors[0].wait_fresh()
    for _ in range(times):
        rig.postgres.sql(f"select {how}(pid) from pg_stat_activity where datname = 'pganalytics' and pid <> pg_backend_pid()")
        rig.count("faults")
        time.sleep(rig.random.uniform(0, 0.05))
    settle_all(rig, collectors)


REFUSALS = {  # what the database is told, and how it is taken back
    "read-only": ("alter database pganalytics set default_transaction_read_only = on", "alter database pganalytics reset default_transaction_read_only"),
    "no-connections": ("alter database pganalytics allow_connections false", "alter database pganalytics allow_connections true"),
    "renamed": ("alter table pganalytics.documents rename to elsewhere", "alter table pganalytics.elsewhere rename to documents"),
}


@scenario(row="B1", expect="a database that refuses to store is the server's trouble: kept and sent again, never poison",
          runs={name: dict(refusal=name) for name in REFUSALS})
def database_refuses(rig, refusal, seconds=4):
    collectors = hurried(rig, 3)
    collectors[0].wait_fresh()
    refuse, allow = REFUSALS[refusal]
    where = "postgres" if "alter database" in refuse else "pganalytics"
    try:
        rig.postgres.sql(refuse, where)
        rig.postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'pganalytics'")
        rig.count("faults")
        time.sleep(seconds)
    finally:
        rig.postgres.sql(allow, where)
        rig.postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'pganalytics'")
    assert rig.server.process.poll() is None
    settle_all(rig, collectors)


@scenario(row="B1", expect="the database's disk is full: 503 until there is room again", runs={"documents": dict(table="documents"), "batches": dict(table="batches")}, own_site=True, limit_s=400)
def database_disk_full(rig, table, megabytes=12):
    """The table lives in a tablespace on a small tmpfs."""
    place = os.path.join(rig.folder, "small")
    os.mkdir(place)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", place], check=True)
    rig.to_close.append(lambda: subprocess.run(["umount", "-l", place], check=True))
    rig.to_close.append(lambda: rig.postgres.stop("immediate"))
    space = os.path.join(place, "space")
    os.mkdir(space)
    subprocess.run(["chown", "--reference", rig.postgres.data, space], check=True)
    rig.postgres.sql(f"create tablespace small location '{space}'", "pganalytics")
    for statement in rig.postgres.sql(f"select format('alter table %s set tablespace small', c.oid::regclass) from pg_class c join pg_namespace n on n.oid = relnamespace "
                                      f"where nspname = 'pganalytics' and relname like '{table}%' and relkind in ('r', 'p')", "pganalytics").splitlines():
        rig.postgres.sql(statement, "pganalytics")
    filler = os.path.join(place, "filler")
    collectors = hurried(rig, 2, documents=100, size=500)
    collectors[0].wait_fresh()
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass  # full: what was wanted
    rig.count("faults")
    log_before = len(rig.server.log())
    if table == "documents":
        eventually(lambda: "space" in rig.server.log()[log_before:].lower() or "503" in rig.server.log()[log_before:], 60, f"the server says that there is no room, see {rig.server.log_path}")
    time.sleep(4)
    assert rig.server.process.poll() is None
    os.unlink(filler)
    subprocess.run(["mount", "-o", "remount,size=500m", place], check=True)
    settle_all(rig, collectors)


# --- the server's private PostgreSQL ----------------------------------------------------------------------------------------


class PrivateSite:
    """A server with the PostgreSQL that it makes and keeps itself."""

    def __init__(self, rig):
        self.folder = rig.folder
        self.server = Server(BINARIES, rig.folder, f"[limits]\n{SERVER_LIMITS}")
        self.server.start()

    def postmaster(self):
        """(its process, the folder of its socket), as its own file tells; None while there is none."""
        try:
            with open(os.path.join(self.server.data_dir, "postgresql", "postmaster.pid")) as file:
                lines = file.read().splitlines()
            return int(lines[0]), lines[4]
        except (FileNotFoundError, IndexError, ValueError):
            return None

    @property
    def database(self):
        _, socket_folder = eventually(self.postmaster, 60, "the private PostgreSQL runs")
        return f"host={socket_folder} port=5432 user=pganalytics dbname=postgres"


@scenario(row="B1", expect="server and private PostgreSQL may die one by one or together: adopted, or started again", runs={"a-dozen": dict(times=12), "busy": dict(times=8, documents=150)}, limit_s=600)
def private_database_killed(rig, times, **options):
    rig.site = site = PrivateSite(rig)
    rig.server = site.server
    rig.to_close.append(site.server.close)
    collectors = hurried(rig, 3, **options)
    collectors[0].wait_fresh()
    for number in range(times):
        time.sleep(rig.random.uniform(0, 0.5))
        what = ("server", "database", "both")[number % 3]
        if what != "server":
            pid, _ = eventually(site.postmaster, 60, "the private PostgreSQL runs")
            signal_all([pid], signal.SIGKILL)
            rig.count("database_kills")
        if what != "database":
            rig.server.kill()
            rig.count("server_kills")
            killed_server.start(rig.server)
        else:
            collectors[0].wait_fresh()  # the server starts it again by itself
    settle_all(rig, collectors)
    rig.server.stop()
    assert site.postmaster() is None, "its PostgreSQL outlived it"


# --- N9 -----------------------------------------------------------------------------------------------------------------------


SETTLED_S = 5


@scenario(row="N9", expect="when all come back at once, all are served within a minute, and a real collector beside them too",
          runs={"after-a-restart": dict(clients=1000), "after-a-kill": dict(clients=1000, kill=True)}, limit_s=400)
def reconnect_storm(rig, clients, kill=False):
    [collector] = hurried(rig, 1)
    storm = Storm(rig.server, collector, clients)
    rig.to_close.append(storm.close)
    storm.start()
    eventually(lambda: storm.served_since(0) >= clients, 120, f"{clients} clients served")
    rig.server.kill() if kill else rig.server.stop()
    rig.count("faults")
    time.sleep(1)
    rig.server.start()
    back = time.monotonic()
    eventually(lambda: storm.served_since(back) >= clients, 60, f"{clients} clients served again")
    eventually(lambda: storm.served_since(time.monotonic() - SETTLED_S) >= clients / 2 and storm.slowest_since(time.monotonic() - SETTLED_S) <= 2.0, 60,
               f"99 of 100 answers of the last {SETTLED_S} s came within 2 s", every=1)
    storm.close()
    rig.settle(collector)
