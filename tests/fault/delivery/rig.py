"""What a run happens in: a Site (one PostgreSQL and one server, shared by the runs of a job) and a Rig (the run's own folder, seed,
collectors and counts). settle() ends a run: faults off, a fresh document goes all the way, the backlog drains, the oracle speaks."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "system"))

from harness.collector import Collector  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.wait import eventually, stop_process  # noqa: E402

import oracle  # noqa: E402

BINARIES = os.path.abspath(os.environ.get("PGANALYTICS_BINARY_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "..", "build")))
OWN = os.path.join(BINARIES, "tests", "fault", "delivery")
SHIM = os.path.join(OWN, "libfault_files.so")
AWAY = "https://127.0.0.1:1"  # a server that is down
PATIENCE_S = 90  # for what takes a second on a quiet machine; backoff after an outage is part of it

# A kill loop signs in and pushes hundreds of times a minute, from one address.
SERVER_LIMITS = "push_per_second = 100000\npush_burst = 1000000\nenrol_per_minute = 100000\ntoken_per_minute = 100000\nenrol_failures = 100000\n" \
                "auth_failures_per_minute = 100000\nconnections_per_address = 10000\nconnections_per_collector = 10000\n"


class Site:
    """A server on a PostgreSQL of its own. Runs that damage it call close(); the job makes another."""

    def __init__(self, folder, server_config=""):
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.folder = folder
        self.postgres = Postgres()
        self.postgres.sql("create database pganalytics")
        self.database = self.postgres.conninfo("pganalytics")
        self.server = Server(BINARIES, folder, f'[database]\nurl = "{self.database}"\n[limits]\n{SERVER_LIMITS}{server_config}')
        self.server.start()

    def healthy(self):
        try:
            return self.server.process.poll() is None and self.server.request("GET", "/api/v1/health", timeout=10).status == 200
        except OSError:
            return False

    def close(self):
        self.server.close()
        self.postgres.close()


class CountingCollector(Collector):
    """A collector with the plugin fault_counter. Change `counter`, `spool`, `extra` or `origin` and call configure()."""

    def __init__(self, rig, name="c1", server=None, interval="100ms", documents=3, size=0, spool="", collector="", plugins="", url=None, state_dir=None):
        self.rig = rig
        self.interval, self.documents, self.size, self.origin, self.enabled = interval, documents, size, "", True
        self.spool, self.collector_table, self.extra_plugins = spool, collector, plugins
        self.url = url  # instead of the server's own: a proxy's
        self.faulty = False
        self.ids = []  # all it was ever registered under
        self.wrapper = ()  # words before the program: faketime, unshare
        super().__init__(BINARIES, rig.folder, "", server=server or rig.server, name=name, plugin_dirs=[os.path.join(OWN, "plugins")], first_party=bool(plugins))
        if state_dir:
            self.state_dir = state_dir
        self.seen_dir = self.state_dir  # where we see what it sees as its state_dir
        self.configure()

    def configure(self):
        counter = (f'[plugins.fault_counter]\nenabled = {str(self.enabled).lower()}\ninterval = "{self.interval}"\ntimeout = "{self.interval}"\n'
                   f'documents = {self.documents}\nbytes = {self.size}\norigin = "{self.origin}"\n')
        self.write_config(f"[spool]\n{self.spool}\n{counter}{self.extra_plugins}", self.collector_table)
        if self.url:
            with open(self.config) as config:
                text = config.read().replace(f'url = "{self.server.url}"', f'url = "{self.url}"')
            with open(self.config, "w") as config:
                config.write(text)

    def register(self):
        self.ids.append(super().register())
        return self.id

    def push_to(self, url):
        """url: AWAY for nobody, None for the server itself. A running collector is told to read its configuration again."""
        self.url = url
        self.configure()
        if self.running:
            self.process.send_signal(signal.SIGHUP)

    def start(self, faults=None):
        """faults: environment of the shim (see shim/fault_files.c), for this life of the process."""
        environment = {**self.environment, **({"LD_PRELOAD": SHIM, "FAULT_BELOW": self.state_dir, **faults} if faults else {})}
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen([*self.wrapper, self.binary, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=log, env=environment, start_new_session=True)
        self.faulty = bool(faults)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop_or_kill(self):
        """The end of a process that faults may have made slow: no promise about its exit status."""
        if self.running:
            try:
                stop_process(self.process, 20)
            except AssertionError:
                pass

    def spool_value(self, statement):
        """One value out of the live spool; None while there is none."""
        if self.wrapper:  # SQLite resolves the links of a path, and would leave the collector's namespace by that
            done = subprocess.run([*self.wrapper, "sqlite3", "-readonly", os.path.join(self.state_dir, "spool.db"), statement], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, timeout=30)
            return done.stdout.strip() or None
        try:
            database = sqlite3.connect(f"file:{self.state_dir}/spool.db?mode=ro", uri=True, timeout=5)
            try:
                row = database.execute(statement).fetchone()
                return row[0] if row else None
            finally:
                database.close()
        except sqlite3.Error:
            return None

    def status(self):
        """What the running collector says of itself; None while nobody can ask it."""
        done = self.command("status", "--json", timeout=60, wrapper=self.wrapper)
        try:
            return json.loads(done.stdout)["report"]
        except (ValueError, KeyError, TypeError):
            return None

    def rounds(self):
        """(runs that ended well, ticks skipped) of the counter; None while nobody can ask."""
        status = self.status()
        if status is None:
            return None
        counter = {plugin["plugin"]: plugin for plugin in status["plugins"]}["fault_counter"]
        return counter["runs"] - counter["failed_runs"], counter["skipped_ticks"]

    def cursor(self):
        return int(self.spool_value("select value from state where plugin = 'fault_counter' and key = 'serial'") or 0)

    def waiting(self):
        """Batches in the spool; None: it cannot be read now."""
        count = self.spool_value("select count(*) from batch")
        return None if count is None else int(count)

    def count_stored(self):
        return int(oracle.query(self.rig.site.database, "select count(*) from pganalytics.documents"
                                                        f" where collector_id = '{self.id}' and type = 'fault_counter'")[0][0])

    def wait_fresh(self, patience=PATIENCE_S):
        """Documents that did not exist when this was called arrive."""
        cursor = self.cursor()
        eventually(lambda: self.highest_stored() > cursor, patience, f"serials above {cursor} on the server, see {self.log_path}", every=0.2)

    def lives_or_ends(self):
        """Of one that has just been started: whether it brings documents (True) or ends (False), whichever it is."""
        before = self.count_stored()
        eventually(lambda: not self.running or self.count_stored() > before, PATIENCE_S, f"it ends or brings documents, see {self.log_path}")
        return self.running

    def highest_stored(self):
        rows = oracle.query(self.rig.site.database, "select coalesce(max((document->>'serial')::bigint), 0) from pganalytics.documents"
                                                    f" where collector_id = '{self.id}' and type = 'fault_counter' and document->>'origin' = '{self.origin}'")
        return int(rows[0][0])

    def wal_mark(self):
        """Changes with each commit."""
        try:
            status = os.stat(os.path.join(self.seen_dir, "spool.db-wal"))
            return status.st_size, status.st_mtime_ns
        except FileNotFoundError:
            return None


class Rig:
    def __init__(self, site, folder, seed):
        self.site, self.folder, self.seed = site, folder, seed
        self.server, self.postgres = site.server, site.postgres
        self.random = random.Random(seed)
        self.counts = {"kills": 0, "torn": 0, "restarts": 0, "faults": 0}
        self.verdicts = []
        self.collectors = []
        self.started = time.time()
        self.to_close = []  # callables, newest first
        os.makedirs(folder)
        os.chmod(folder, 0o755)

    def collector(self, name=None, register=True, **options):
        """It registers at the server itself, and pushes to `url` if one is given."""
        url = options.pop("url", None)
        made = CountingCollector(self, name or f"c{len(self.collectors) + 1}", **options)
        self.collectors.append(made)
        if register:
            made.register()
        if url:
            made.push_to(url)
        return made

    def count(self, what, times=1):
        self.counts[what] = self.counts.get(what, 0) + times

    def kill(self, collector):
        collector.kill()
        self.count("kills")

    def settle(self, collector, patience=PATIENCE_S, state_dirs=None, judge=True, **of_oracle):
        """Faults are off. Returns the verdict; raises AssertionError when the oracle finds anything."""
        if collector.running and collector.faulty:
            collector.stop_or_kill()
        if not collector.running:
            collector.start()
        collector.wait_fresh(patience)
        collector.stop()
        self.drain(collector, patience)
        return self.judge(collector, state_dirs, **of_oracle) if judge else None

    def drain(self, collector, patience=PATIENCE_S):
        """What still waits goes to the server, with nothing new made."""
        if not collector.waiting():
            return
        enabled, collector.enabled = collector.enabled, False
        collector.configure()
        collector.start()
        while waiting := collector.waiting():  # however long it is: it gets shorter
            eventually(lambda: collector.waiting() < waiting, patience, f"the backlog of {waiting} drains, see {collector.log_path}", every=0.2)
        collector.stop()
        collector.enabled = enabled
        collector.configure()

    def judge(self, collector, state_dirs=None, **of_oracle):
        verdict = oracle.check(self.site.database, collector.ids, state_dirs or [collector.seen_dir], **of_oracle)
        self.verdicts.append(verdict)
        assert not verdict.problems, f"the oracle says of {collector.name}:\n{verdict}"
        assert verdict.documents > 0, f"nothing of {collector.name} was stored at all"
        return verdict

    def close(self):
        for end in reversed(self.to_close):
            end()
        for collector in self.collectors:
            if collector.running:
                collector.kill()
        left = eventually_gone(self.folder)
        assert not left, f"processes are left over: {left}"


def processes_of(folder):
    """Command lines that name a file in `folder`."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as cmdline:
                    words = cmdline.read().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if folder + "/" in words and int(entry) != os.getpid():
                found[int(entry)] = words.strip()
    return found


def eventually_gone(folder, seconds=10):
    deadline = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def make_folder(prefix):
    folder = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    os.chmod(folder, 0o755)
    return folder


def remove_folder(folder):
    shutil.rmtree(folder, ignore_errors=True)


__all__ = ["AWAY", "BINARIES", "OWN", "PATIENCE_S", "SHIM", "CountingCollector", "Rig", "Site", "eventually", "make_folder", "remove_folder", "signal"]
