"""A throwaway PostgreSQL, of the newest major installed unless told: Unix socket only, in a folder of its own, never as root."""

import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

from .wait import eventually


def bin_dir():
    """The folder of the newest server binaries."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if found:
        return os.path.dirname(max(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path)]))
    return os.path.dirname(shutil.which("postgres"))


class Postgres:
    def __init__(self, settings=None, auth="trust", binaries=None, place=None):
        """place: a folder for its data; by default one beside its socket."""
        self._prepare(binaries, place)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", auth, "--no-sync", "--locale=C", "-E", "UTF8")
        self._configure("fsync = off\nlogging_collector = on\n" + "".join(f"{name} = '{value}'\n" for name, value in (settings or {}).items()))
        self.start()

    @classmethod
    def standby_of(cls, primary):
        """A hot standby that follows it by streaming, and that its commits wait for from now on."""
        standby = cls.__new__(cls)
        standby._prepare(primary._bin, None)
        standby._run("pg_basebackup", "-h", primary.dir, "-U", "postgres", "-D", standby.data, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        standby._configure("synchronous_standby_names = ''\n")  # its own, once it is promoted
        standby.start()
        primary.sql("alter system set synchronous_standby_names = '*'")
        primary.sql("select pg_reload_conf()")
        eventually(lambda: primary.sql("select sync_state from pg_stat_replication") == "sync", 60, "the standby follows")
        return standby

    def _prepare(self, binaries, place):
        # A socket's path may have 107 bytes, so not below pytest's deep folders.
        self.dir = tempfile.mkdtemp(prefix="pga-pg-", dir="/tmp")
        self.data = os.path.join(place or self.dir, "data")
        self.log_dir = os.path.join(self.data, "log")
        self._bin = binaries or bin_dir()
        self._user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        os.chmod(self.dir, 0o755)
        for folder in filter(None, (self.dir, place)):
            if self._user:
                os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def _configure(self, settings):
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{self.dir}'\n{settings}")

    def _run(self, program, *arguments):
        demote = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        done = subprocess.run([os.path.join(self._bin, program), *arguments], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=60, stdin=subprocess.DEVNULL, **demote)
        assert done.returncode == 0, f"{program}: {done.stdout}"

    def start(self):
        # pg_ctl's own output must not keep our pipe open through the server it starts.
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "-l", os.path.join(self.dir, "start.log"), "start")

    def stop(self, mode="fast"):
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "-m", mode, "stop")

    def promote(self):
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "promote")

    def pids(self):
        """Its processes, the postmaster first; none if it does not run: killed, it leaves its file, and is a zombie where nobody waits for it."""
        try:
            with open(os.path.join(self.data, "postmaster.pid")) as file:
                postmaster = int(file.readline())
            with open(f"/proc/{postmaster}/stat") as file:
                state = file.read().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return []
        if state == "Z":
            return []
        children = subprocess.run(["pgrep", "-P", str(postmaster)], stdout=subprocess.PIPE, text=True).stdout
        return [postmaster, *map(int, children.split())]

    def signal_all(self, number):
        """To each of its processes, the postmaster first, so that it starts none meanwhile."""
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        self.signal_all(signal.SIGKILL)
        eventually(lambda: not self.pids(), 30, "PostgreSQL is gone")

    def close(self):
        if self.pids():
            self.stop("immediate")
        shutil.rmtree(self.dir, ignore_errors=True)

    def conninfo(self, database="postgres", user="postgres", password=None):
        text = f"host={self.dir} dbname={database} user={user}"
        return text + (f" password={password}" if password else "")

    def sql(self, statement, database="postgres", check=True):
        """Run it through psql; the rows as text, one line each."""
        done = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo(database), "-c", statement], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.strip()
