"""Real mounts in the collector's sight: full to the brim, read-only, mounted in many places, and one that does not answer."""

import json
import os
import subprocess
import time

import pytest

from harness import mounts
from harness.wait import eventually

HANGS_AFTER_MS = 300


@pytest.fixture(scope="module", autouse=True)
def namespace():
    try:
        mounts.enter_namespace()
    except OSError as error:
        pytest.skip(f"no mounts of our own: {error}")


@pytest.fixture
def places(folder):
    """place(name): a folder to mount on. What was mounted is unmounted at the end."""
    made = []

    def place(name):
        path = os.path.join(folder, name)
        os.mkdir(path)
        made.append(path)
        return path

    yield place
    for path in reversed(made):
        try:
            mounts.unmount(path)
        except OSError:
            pass  # nothing mounted there


def config(folder, more=""):
    """All of this test's mounts, in memory too, and nobody else's."""
    return f'[plugins.disk]\ninterval = "1s"\nexclude_types = []\ninclude_mount_points = ["/", "{folder}/*"]\nmount_timeout_ms = {HANGS_AFTER_MS}\n{more}\n'


def once(collector):
    done = collector.command("once", "--plugin", "disk")
    assert done.returncode == 0, done.stderr
    (document,) = [json.loads(line) for line in done.stdout.splitlines()]
    return document


def at(document, path):
    (filesystem,) = [each for each in document["filesystems"] if each["mount_point"] == path]
    return filesystem


def test_a_file_system_filled_to_the_brim(folder, places, make_collector):
    full = places("full")
    mounts.mount("none", full, "tmpfs", 0, "size=1m,nr_inodes=20")
    with pytest.raises(OSError), open(os.path.join(full, "all"), "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(OSError):
        for number in range(100):
            os.mkdir(os.path.join(full, str(number)))
    filesystem = at(once(make_collector(config(folder))), full)
    assert filesystem["available_bytes"] == 0 and filesystem["reserved_bytes"] == 0
    assert filesystem["used_bytes"] == filesystem["total_bytes"] == 1 << 20
    assert filesystem["inodes_free"] == 0 and filesystem["inodes_used"] == filesystem["inodes_total"] == 20
    assert filesystem["block_device"] is None and filesystem["disks"] is None
    df = subprocess.run(["df", "--block-size=1", "--output=used,avail,iused,iavail", full], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert [int(word) for word in df.splitlines()[1].split()] == [filesystem[key] for key in ("used_bytes", "available_bytes", "inodes_used", "inodes_free")]


def test_read_only_is_the_file_system_and_not_the_view(folder, places, make_collector):
    made_so, seen_so = places("made_so"), places("seen_so")
    mounts.mount("none", made_so, "tmpfs", 0, "size=1m")
    mounts.mount("none", seen_so, "tmpfs", 0, "size=1m")
    collector = make_collector(config(folder))
    document = once(collector)
    assert not at(document, made_so)["read_only"] and not at(document, seen_so)["read_only"]

    mounts.mount("none", made_so, "", mounts.MS_REMOUNT | mounts.MS_RDONLY)
    mounts.mount("none", seen_so, "", mounts.MS_REMOUNT | mounts.MS_BIND | mounts.MS_RDONLY)
    document = once(collector)
    assert at(document, made_so)["read_only"]
    assert not at(document, seen_so)["read_only"]
    assert at(document, seen_so)["options"].split(",")[0] == "ro"  # of the mount
    assert at(document, made_so)["total_bytes"] == 1 << 20


def test_a_file_system_in_many_places_is_one(folder, places, make_collector):
    first, again, part, lower, over = (places(name) for name in ("first", "again", "part", "lower", "over"))
    mounts.mount("none", first, "tmpfs", 0, "size=2m")
    os.mkdir(os.path.join(first, "inner"))
    mounts.mount(first, again, "", mounts.MS_BIND)
    mounts.mount(os.path.join(first, "inner"), part, "", mounts.MS_BIND)
    document = once(make_collector(config(folder, f'directories = {{wal = "{part}", data = "{again}"}}\n')))
    assert [each["mount_point"] for each in document["filesystems"] if each["mount_point"] in (first, again, part)] == [first]
    sizes = {each["name"]: each["total_bytes"] for each in document["directories"]}
    assert sizes == {"wal": 2 << 20, "data": 2 << 20}

    # An overlay has a number of its own; it is left out by type, as its space is that of the file system it writes to.
    for name in ("upper", "work"):
        os.mkdir(os.path.join(first, name))
    try:
        mounts.mount("none", over, "overlay", 0, f"lowerdir={lower},upperdir={first}/upper,workdir={first}/work")
    except OSError as error:
        pytest.skip(f"no overlay here: {error}")
    by_default = config(folder).replace("exclude_types = []\n", "")
    document = once(make_collector(by_default, name="by_default"))
    assert over not in [each["mount_point"] for each in document["filesystems"]]


@pytest.fixture
def slow(places):
    try:
        fuse = mounts.Fuse(places("slow"))
    except OSError as error:
        pytest.skip(f"no FUSE here: {error}")
    yield fuse
    fuse.close()


@pytest.fixture
def running(folder, places, make_collector, slow):
    """A collector that sees a good mount and the slow one, beside sysstat; documents() are those of disk."""
    good = places("good")
    mounts.mount("none", good, "tmpfs", 0, "size=1m")
    output = os.path.join(folder, "documents.jsonl")
    collector = make_collector(config(folder, f'directories = {{wal = "{slow.target}"}}\n') + '[plugins.sysstat]\ninterval = "1s"\n',
                               collector_config=f'output = "{output}"')
    collector.start()

    def documents(type="disk"):
        with open(output) as lines:
            return [document for document in map(json.loads, lines) if document["type"] == type]

    eventually(lambda: documents(), 30, "the first document")
    return collector, documents, good


def state_of_threads(pid):
    states = ""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat") as stat:
            states += stat.read().rpartition(")")[2].split()[0]
    return states


def test_a_mount_that_hangs_is_told_others_are_and_it_heals(running, slow):
    collector, documents, good = running
    assert at(documents()[-1], slow.target)["used_bytes"] == 600 * 4096

    slow.answers.clear()
    asked = slow.asked

    def hung():
        document = documents()[-1]
        return at(document, slow.target)["total_bytes"] is None and document

    document = eventually(hung, 30, "the mount told as hung")
    assert at(document, good)["total_bytes"] == 1 << 20
    assert {(error["part"], error["mount_point"], error["code"]) for error in document["errors"]} >= {("filesystems", slow.target, "disk.hung")}
    assert slow.held  # or this test proves nothing

    seen = len(documents())
    eventually(lambda: len(documents()) >= seen + 3, 30, "further runs, each in its second")
    assert slow.asked <= asked + 2  # the mount and the directory on it, once each: no thread piles on another
    assert all(at(each, good)["total_bytes"] == 1 << 20 for each in documents()[seen:])

    slow.let_answer()
    eventually(lambda: at(documents()[-1], slow.target)["total_bytes"] == 1000 * 4096, 30, "told again")
    eventually(lambda: not documents()[-1]["errors"], 30, "nothing is wrong any more")
    collector.stop()


def test_the_collector_ends_in_time_though_a_mount_hangs(running, slow):
    collector, documents, _ = running
    slow.answers.clear()
    eventually(lambda: at(documents()[-1], slow.target)["total_bytes"] is None, 30, "the mount told as hung")
    worker = collector.worker_pid("disk")
    begin = time.monotonic()
    collector.stop()
    assert time.monotonic() - begin < 15
    # The kernel holds what is left of the worker; it goes when the mount answers.
    assert "D" in state_of_threads(worker)
    slow.let_answer()
    eventually(lambda: not os.path.exists(f"/proc/{worker}"), 30, "the worker has gone")


def test_a_worker_that_cannot_die_costs_no_other_plugin(running, slow):
    collector, documents, _ = running
    slow.answers.clear()
    eventually(lambda: at(documents()[-1], slow.target)["total_bytes"] is None, 30, "the mount told as hung")
    worker = collector.worker_pid("disk")
    os.kill(worker, 9)
    eventually(lambda: "the kernel holds it" in collector.log(), 60, lambda: "told in the log: " + collector.log()[-2000:])
    assert "D" in state_of_threads(worker)
    others, own = len(documents("sysstat")), len(documents())
    eventually(lambda: len(documents("sysstat")) >= others + 3, 30, "sysstat goes on")

    slow.let_answer()
    eventually(lambda: len(documents()) > own, 90, "disk again, with a new worker")
    assert collector.worker_pid("disk") != worker
    collector.stop()
