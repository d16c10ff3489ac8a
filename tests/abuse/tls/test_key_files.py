"""Private keys on disk: what the programs start with, and what they refuse, for the collector's key and for the server's.

A key must be a regular file of root or of the service's user, closed to others (root's may be readable by a group, as ssl-cert's are), in a folder
that nobody else can put another key into. A refusal is at start, says which file, why, and what to do.
"""

import os
import shutil
import stat
import subprocess
import time
import uuid

import pytest
from authority import CLIENT, COLLECTOR_URI, key_pem, make_root, new_key, pem
from bad_server import BadServer, speak_raw
from harness.collector import Collector
from harness.postgres import Postgres
from harness.server import Server
from harness.wait import eventually

NOBODY = 65534
START_S = 20

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="giving files to other users needs root")


def mode(bits):
    return lambda key: os.chmod(key, bits)


def owner(uid, bits=0o600):
    def change(key):
        os.chmod(key, bits)
        os.chown(key, uid, uid)
    return change


def symbolic_link(key):
    os.rename(key, key + ".real")
    os.symlink(key + ".real", key)


def fifo(key):
    os.unlink(key)
    os.mkfifo(key, 0o600)


def folder_instead(key):
    os.unlink(key)
    os.mkdir(key, 0o700)


def folder_mode(bits):
    return lambda key: os.chmod(os.path.dirname(key), bits)


def folder_of(uid):
    return lambda key: os.chown(os.path.dirname(key), uid, uid)


def content(data):
    def change(key):
        with open(key, "wb") as file:
            file.write(data)
    return change


ROOT = make_root()
GOOD = {"0600": mode(0o600), "0400": mode(0o400), "0640_of_root": mode(0o640), "0440_of_root": mode(0o440), "folder_0755": folder_mode(0o755)}
BAD = {  # what is done to it, and what the message must say
    "0644": (mode(0o644), "chmod 600"), "0660": (mode(0o660), "chmod 600"), "0620": (mode(0o620), "chmod 600"), "0604": (mode(0o604), "chmod 600"),
    "0602": (mode(0o602), "chmod 600"), "0666": (mode(0o666), "chmod 600"), "0777": (mode(0o777), "chmod 600"),
    "of_another_user": (owner(NOBODY), "belongs to"), "of_another_user_0640": (owner(NOBODY, 0o640), "belongs to"),
    "a_symbolic_link": (symbolic_link, "link"), "a_fifo": (fifo, "regular"), "a_folder": (folder_instead, ""),
    "folder_open_to_all": (folder_mode(0o777), "write"), "folder_open_to_a_group": (folder_mode(0o775), "write"), "folder_of_another_user": (folder_of(NOBODY), ""),
    "empty": (content(b""), ""), "garbage": (content(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), ""),
    "another_key": (content(key_pem(new_key())), ""), "missing": (os.unlink, ""),
}


def tells(log, path, words):
    assert os.path.basename(path) in log or os.path.dirname(path) in log, log
    assert words.lower() in log.lower(), log
    assert "PRIVATE KEY" not in log


# --- the collector's --------------------------------------------------------------------------------------------------------


class Registered:
    """A state_dir as registration leaves it, for a server that only counts who calls."""

    def __init__(self, binaries, folder):
        self.server = BadServer(speak_raw(b""))
        self.folder = os.path.join(folder, uuid.uuid4().hex)
        os.mkdir(self.folder)
        self.collector = Collector(binaries, self.folder, "")
        identity = os.path.join(self.collector.state_dir, "identity")
        os.makedirs(identity, mode=0o700)
        os.chmod(self.collector.state_dir, 0o700)
        id, url = str(uuid.uuid4()), f"https://127.0.0.1:{self.server.port}"
        own = ROOT.issue(id, names=(f"URI:{COLLECTOR_URI}{id}",), purposes=CLIENT)
        self.key = os.path.join(identity, "key.pem")
        for name, data, bits in (("key.pem", key_pem(own.key), 0o600), ("certificate.pem", pem(own.certificate), 0o644), ("ca.pem", pem(ROOT.certificate), 0o644),
                                 ("identity.json", f'{{"collector_id":"{id}","backend_url":"{url}","name":"db1"}}'.encode(), 0o644)):
            with open(os.path.join(identity, name), "wb") as file:
                file.write(data)
            os.chmod(os.path.join(identity, name), bits)
        with open(self.collector.config, "a") as config:
            config.write(f'[backend]\nurl = "{url}"\n')

    def close(self):
        self.collector.close()
        self.server.close()


@pytest.fixture
def registered(binaries, folder):
    made = Registered(binaries, folder)
    yield made
    made.close()


@pytest.mark.parametrize("case", GOOD)
def test_a_collector_starts_with(registered, case):
    GOOD[case](registered.key)
    registered.collector.start()
    eventually(lambda: registered.server.connections > 0, START_S, f"it calls the server, see {registered.collector.log_path}")
    assert registered.collector.process.poll() is None


@pytest.mark.parametrize("case", BAD)
def test_a_collector_refuses(registered, case):
    change, words = BAD[case]
    change(registered.key)
    registered.collector.start()
    eventually(lambda: registered.collector.process.poll() is not None, START_S, f"it ends, see {registered.collector.log_path}")
    assert registered.collector.process.returncode not in (0, -6, -11), registered.collector.log()
    assert registered.server.connections == 0
    tells(registered.collector.log(), registered.key, words)


# --- the server's -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(binaries, folder):
    """A PostgreSQL, and a data_dir with the keys of a server that has run on it."""
    postgres = Postgres()
    postgres.sql("create database pganalytics")
    url = postgres.conninfo("pganalytics")
    first = Server(binaries, folder, f'[database]\nurl = "{url}"\n')
    first.start()
    first.stop()
    yield url, first
    postgres.close()


def server_with(binaries, folder, database, operators_key):
    """(a server on a copy of that data_dir, the key that is about to be spoiled)"""
    url, first = database
    own = os.path.join(folder, uuid.uuid4().hex)
    os.mkdir(own)
    shutil.copytree(first.data_dir, os.path.join(own, "server"))
    subprocess.run(["chown", "-R", "--reference", first.data_dir, os.path.join(own, "server")], check=True)
    os.chmod(os.path.join(own, "server"), 0o700)
    tls = ""
    key = os.path.join(own, "server", operators_key or "ca.key")
    if not operators_key:  # of the user that the server becomes when root starts it
        os.mkdir(os.path.join(own, "tls"), 0o755)
        certificate, key = ROOT.issue().write(os.path.join(own, "tls"), "operator")
        service = os.stat(first.data_dir)
        os.chown(key, service.st_uid, service.st_gid)
        tls = f'[tls]\ncert_file = "{certificate}"\nkey_file = "{key}"\n'
    return Server(binaries, own, f'[database]\nurl = "{url}"\n{tls}'), key


def outcome(server):
    """"serves" or its exit status."""
    server.process = subprocess.Popen([server.binary, "run", "--config", server.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(server.log_path, "a"))
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.process.poll() is None:
        if "listens on" in server.log():
            return "serves"
        time.sleep(0.02)
    return server.process.poll()


def of_root_for_the_group(bits):
    """As ssl-cert's keys are: root's, and readable by the service's group."""
    def change(key):
        os.chmod(key, bits)
        os.chown(key, 0, -1)
    return change


SERVERS_GOOD = {**GOOD, "0640_of_root": of_root_for_the_group(0o640), "0440_of_root": of_root_for_the_group(0o440)}


@pytest.mark.parametrize("case", SERVERS_GOOD)
def test_a_server_starts_with_the_operators_key(binaries, folder, database, case):
    server, key = server_with(binaries, folder, database, None)
    SERVERS_GOOD[case](key)
    try:
        assert outcome(server) == "serves", server.log()
    finally:
        server.close()


@pytest.mark.parametrize("case", BAD)
def test_a_server_refuses_the_operators_key(binaries, folder, database, case):
    server, key = server_with(binaries, folder, database, None)
    change, words = BAD[case]
    change(key)
    try:
        assert outcome(server) not in ("serves", None, 0, -6, -11), server.log()
        tells(server.log(), key, words)
    finally:
        server.close()


@pytest.mark.parametrize("name", ["ca.key", "server.key", "jwt.key"])
@pytest.mark.parametrize("case", ["0644", "0660", "a_symbolic_link", "a_fifo", "garbage"])
def test_a_server_refuses_its_own_keys(binaries, folder, database, name, case):
    server, key = server_with(binaries, folder, database, name)
    change, words = BAD[case]
    change(key)
    try:
        assert outcome(server) not in ("serves", None, 0, -6, -11), server.log()
        tells(server.log(), key, words)
    finally:
        server.close()


# --- what registration leaves -----------------------------------------------------------------------------------------------


def test_a_key_that_registration_writes_is_closed(binaries, folder, database):
    """Whatever umask it was called with."""
    _, server = database
    server.start()
    try:
        collector = Collector(binaries, folder, "", server=server, name="registered")
        token = server.cli("token", "create")
        done = collector.command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], input=token["token"], wrapper=("sh", "-c", 'umask 0; exec "$@"', "sh"))
        assert done.returncode == 0, done.stderr
    finally:
        server.stop()
    identity = os.path.dirname(collector.certificate[1])
    modes = {name: stat.S_IMODE(os.stat(os.path.join(identity, name)).st_mode) for name in os.listdir(identity)}
    assert stat.S_IMODE(os.stat(identity).st_mode) == 0o700 and modes["key.pem"] == 0o600, modes
    assert not any(mode & 0o022 for mode in modes.values()), modes
