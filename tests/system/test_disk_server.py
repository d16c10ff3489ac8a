"""disk beside a server: from within its sandbox it finds where the server keeps its files, and it has libpq for nothing else, and no longer."""

import json
import os
import subprocess

import pytest

from harness import mounts
from harness.wait import eventually


@pytest.fixture
def monitored(postgres):
    postgres.sql("create role monitor login in role pg_monitor")
    return postgres


def maps_libpq(pid):
    with open(f"/proc/{pid}/maps") as maps:
        return "libpq.so" in maps.read()


def test_directories_name_themselves(monitored, make_collector):
    collector = make_collector(f'[plugins.disk]\nconninfo = "{monitored.conninfo(user="monitor")}"\n')
    done = collector.command("once", "--plugin", "disk")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    directories = {directory["name"]: directory for directory in document["directories"]}
    assert {"data", "wal", "temp"} <= directories.keys()
    assert directories["data"]["path"] == monitored.data and directories["data"]["source"] == "server"
    assert directories["data"]["available_bytes"] == pytest.approx(os.statvfs(monitored.data).f_bavail * os.statvfs(monitored.data).f_frsize, rel=0.2)
    assert directories["wal"]["size_bytes"] >= 16 << 20
    done = collector.command("doctor", "--plugin", "disk")
    assert done.returncode == 0 and "\ndisk: works;" in done.stdout, done.stdout


@pytest.mark.parametrize("asks", [False, True])
def test_libpq_is_there_only_while_a_server_is_asked(monitored, folder, make_collector, asks):
    output = os.path.join(folder, "documents.jsonl")
    conninfo = f'conninfo = "{monitored.conninfo(user="monitor")}"\n' if asks else ""
    collector = make_collector(f'[plugins.disk]\ninterval = "1s"\n{conninfo}', collector_config=f'output = "{output}"')
    collector.start()
    eventually(lambda: os.path.getsize(output) > 0, 30, "a document")
    with open(output) as documents:
        directories = json.loads(documents.readline()).get("directories", [])
    assert any(directory.get("source") == "server" for directory in directories) == asks
    assert not maps_libpq(collector.worker_pid("disk"))
    collector.stop()


def test_without_libpq_it_says_what_to_install(monitored, folder, make_collector):
    try:
        mounts.enter_namespace()
    except OSError as error:
        pytest.skip(f"no mounts of our own: {error}")
    listed = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
    libraries = {os.path.realpath(line.split()[-1]) for line in listed.splitlines() if "libpq.so.5 " in line}
    nothing = os.path.join(folder, "nothing")
    open(nothing, "w").close()
    for library in libraries:
        mounts.mount(nothing, library, "", mounts.MS_BIND)
    try:
        collector = make_collector(f'[plugins.disk]\nconninfo = "{monitored.conninfo(user="monitor")}"\n')
        done = collector.command("once", "--plugin", "disk")
        assert done.returncode != 0
        assert "libpq.so.5" in done.stderr and "HINT: Install PostgreSQL's client library" in done.stderr
        assert make_collector("[plugins.disk]\n", name="db2").command("once", "--plugin", "disk").returncode == 0
    finally:
        for library in libraries:
            mounts.unmount(library)
