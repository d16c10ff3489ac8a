"""Files that are no plugins for this host: refused, before any of their code runs where that is possible, with the rule and the fix named."""

import json
import os
import re
import resource
import shutil
import socket
import struct
import subprocess
import tempfile
import time

import pytest

from cell import BINARIES, PLUGINS, SANITIZED, SANITIZER_OPTIONS

NOBODY = 65534
LIST_S = 5  # whatever lies in the folder, `plugin list` is back within this
LIST_MIB = 64 * (4 if SANITIZED else 1)


class Folder:
    """A plugin folder, and `pganalytics plugin list` over it, with --describe. The worker is wrapped by a script that writes down for which plugin
    one was started: a plugin that is not in that list had no chance to run any code."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="pga-fault-", dir="/tmp")
        os.chmod(self.top, 0o755)
        self.plugins = self.make("plugins")
        self.workers = os.path.join(self.top, "workers")
        self.wrapper = os.path.join(self.top, "worker")
        with open(self.wrapper, "w") as wrapper:
            wrapper.write(f'#!/bin/sh\necho "$1" >> {self.workers}\nexec {BINARIES}/libexec/pganalytics/pganalytics-worker "$@"\n')
        os.chmod(self.wrapper, 0o755)

    def make(self, name):
        path = os.path.join(self.top, name)
        os.mkdir(path, 0o755)
        return path

    def put(self, plugin, name=None, folder=None):
        path = os.path.join(folder or self.plugins, (name or plugin) + ".so")
        shutil.copyfile(os.path.join(PLUGINS, plugin + ".so"), path)
        os.chmod(path, 0o755)
        return path

    def list(self, *folders, **options):
        config = os.path.join(self.top, "collector.toml")
        with open(config, "w") as file:
            file.write(f'[collector]\nstate_dir = "{self.top}/state"\nplugin_dirs = {json.dumps(list(folders) or [self.plugins])}\n')
        os.chmod(config, 0o644)
        started = time.monotonic()
        done = subprocess.run([os.path.join(BINARIES, "bin", "pganalytics"), "plugin", "list", "--describe", "--json", "--config", config], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, env={**os.environ, "PGANALYTICS_WORKER": self.wrapper, **SANITIZER_OPTIONS},
                              **options)
        assert time.monotonic() - started < LIST_S + 11 * ("hang" in str(done.stdout)), "it took too long"
        assert done.returncode == 0, done.stderr
        listed = json.loads(done.stdout.decode())  # valid JSON and UTF-8 whatever the file said
        return listed["plugins"] if isinstance(listed, dict) else listed

    def started(self):
        if not os.path.exists(self.workers):
            return []
        with open(self.workers) as workers:
            return workers.read().split()


@pytest.fixture
def folder():
    made = Folder()
    yield made
    shutil.rmtree(made.top, ignore_errors=True)


def check_refused(entries, message, hint, path=None):
    """The one entry (of the file at `path`) is refused with such words."""
    if path:
        entries = [entry for entry in entries if entry["path"] == path]
    assert len(entries) == 1, entries
    entry = entries[0]
    assert entry["state"] == "refused", entry
    assert re.search(message, entry["refused"]), entry
    assert entry["hint"] and re.search(hint, entry["hint"]), entry


def needs_root():
    if os.getuid() != 0:
        pytest.skip("files of other users can be made by root alone")


# Who could have put it there ------------------------------------------------------------------------------------------------


def test_another_users_file(folder):
    needs_root()
    os.chown(folder.put("fault_neighbour"), NOBODY, NOBODY)
    check_refused(folder.list(), r"fault_neighbour\.so belongs to user 65534", "chown -h root ")
    assert folder.started() == []


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_file_that_others_write(folder, mode):
    path = folder.put("fault_neighbour")
    os.chmod(path, mode)
    check_refused(folder.list(), r"fault_neighbour\.so can be written by others than its owner", "chmod go-w ")
    assert folder.started() == []


def test_a_folder_that_others_write(folder):
    folder.put("fault_neighbour")
    os.chmod(folder.plugins, 0o777)
    check_refused(folder.list(), r"/plugins can be written by others than its owner", "chmod go-w ")
    assert folder.started() == []


def test_a_folder_of_another_user_above(folder):
    needs_root()
    inner = os.path.join(folder.make("outer"), "inner")
    os.mkdir(inner, 0o755)
    folder.put("fault_neighbour", folder=inner)
    os.chown(os.path.dirname(inner), NOBODY, NOBODY)
    check_refused(folder.list(inner), r"/outer belongs to user 65534", "chown -h root ")
    assert folder.started() == []


def test_a_link_out_of_the_folder(folder):
    elsewhere = folder.make("elsewhere")
    os.symlink(folder.put("fault_neighbour", folder=elsewhere), os.path.join(folder.plugins, "fault_neighbour.so"))
    os.chmod(elsewhere, 0o777)
    check_refused(folder.list(), r"/elsewhere can be written by others than its owner", "chmod go-w ")
    assert folder.started() == []


def test_a_plugin_folder_that_is_a_link(folder):
    elsewhere = folder.make("elsewhere")
    folder.put("fault_neighbour", folder=elsewhere)
    os.symlink(elsewhere, os.path.join(folder.top, "link"))
    os.chmod(elsewhere, 0o777)
    check_refused(folder.list(os.path.join(folder.top, "link")), r"/elsewhere can be written by others than its owner", "chmod go-w ")
    assert folder.started() == []


def test_a_link_in_anothers_folder(folder):
    """The file is root's, but who may replace the link decides what is loaded."""
    door = folder.make("door")
    os.symlink(folder.put("fault_neighbour"), os.path.join(door, "fault_neighbour.so"))
    os.chmod(door, 0o777)
    check_refused(folder.list(door), r"/door can be written by others than its owner", "chmod go-w ")
    assert folder.started() == []


@pytest.mark.parametrize("target", ["nowhere", "loop.so"])
def test_a_link_to_nothing(folder, target):
    os.symlink(target, os.path.join(folder.plugins, "loop.so"))
    check_refused(folder.list(), r"cannot resolve .*loop\.so: ", ".")
    assert folder.started() == []


# What is no file ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "device"])
def test_no_regular_file(folder, kind):
    path = os.path.join(folder.plugins, "odd.so")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(path)
    else:
        os.symlink("/dev/zero", path)
    check_refused(folder.list(), r"is not a regular file", ".")
    assert folder.started() == []


def test_an_unreadable_file(folder):
    needs_root()  # and then somebody else looks
    os.chmod(folder.put("fault_neighbour"), 0o600)
    check_refused(folder.list(user=NOBODY, group=NOBODY, extra_groups=[]), r"fault_neighbour\.so.*Permission denied", ".")
    assert folder.started() == []


@pytest.mark.parametrize("begins_well", [False, True])
def test_a_gibibyte_of_nothing(folder, begins_well):
    path = folder.put("fault_neighbour")
    with open(path, "r+b") as file:
        if not begins_well:
            file.truncate(0)
        file.truncate(1 << 30)
    check_refused(folder.list(), r"fault_neighbour\.so.*(large|MiB|bytes|not an ELF)", ".")
    assert folder.started() == []
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024 < LIST_MIB


def test_a_name_that_is_no_text(folder):
    path = os.path.join(os.fsencode(folder.plugins), b"odd \xff\xc3\x28 \"\n.so")
    with open(path, "w") as file:
        file.write("not a plugin")
    assert folder.list()[0]["state"] == "refused"
    assert folder.started() == []


# What is in the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bytes_kept", [0, 4, 63, 64, 200, 1000, 4096, 8192, 12288, -4096, -1])
def test_a_truncated_file(folder, bytes_kept):
    path = folder.put("fault_neighbour")
    size = os.path.getsize(path)
    os.truncate(path, bytes_kept if bytes_kept >= 0 else size + bytes_kept)
    check_refused(folder.list(), r"fault_neighbour\.so.*(not an ELF file|runs? past|cut off|no plugin note|truncated)", ".")
    assert folder.started() == []


def test_a_text_file(folder):
    with open(os.path.join(folder.plugins, "readme.so"), "w") as file:
        file.write("#!/bin/sh\necho no plugin\n")
    check_refused(folder.list(), r"readme\.so.*it is not an ELF file", ".")
    assert folder.started() == []


PATCHES = {
    "another_machine": (18, struct.pack("<H", 183), r"built for another machine"),
    "32_bits": (4, b"\x01", r"not a 64-bit"),
    "big_endian": (5, b"\x02", r"not a 64-bit little-endian"),
    "a_program": (16, struct.pack("<H", 2), r"not a shared object"),
    "odd_headers": (54, struct.pack("<H", 1), r"program headers are malformed"),
    "headers_past_the_end": (32, struct.pack("<Q", 1 << 40), r"program headers"),
}


@pytest.mark.parametrize("flaw", PATCHES)
def test_an_elf_header_with_a_flaw(folder, flaw):
    offset, bytes_there, message = PATCHES[flaw]
    with open(folder.put("fault_neighbour"), "r+b") as file:
        file.seek(offset)
        file.write(bytes_there)
    check_refused(folder.list(), message, ".")
    assert folder.started() == []


@pytest.mark.parametrize("plugin,message,hint", [
    ("fault_no_note", r"it has no plugin note", "PGA_NOTE"),
    ("fault_two_notes", r"more than one plugin note", "PGA_NOTE"),
    ("fault_other_major", r"was built for plugin ABI 2, this host has 1", "build for this version"),
])
def test_a_note_that_is_wrong(folder, plugin, message, hint):
    folder.put(plugin)
    check_refused(folder.list(), message, hint)
    assert folder.started() == [], "its code could have run"


@pytest.mark.parametrize("new_id", [b"../../etc/passwd", b"UPPERCASE_LETTERS", b"x", b"", b"a" * 36])
def test_a_note_with_an_odd_id(folder, new_id):
    path = folder.put("fault_neighbour")
    with open(path, "rb") as file:
        bytes_there = file.read()
    note = b"pga\0" + struct.pack("<II", 1, 0) + b"fault_neighbour".ljust(36, b"\0")
    assert bytes_there.count(note) == 1
    with open(path, "wb") as file:
        file.write(bytes_there.replace(note, note[:12] + new_id.ljust(36, b"\0")))
    check_refused(folder.list(), r"the id in its note is not \[a-z\]", ".")
    assert folder.started() == []


# What only its code tells, in a worker that is confined -----------------------------------------------------------------------


@pytest.mark.parametrize("plugin,message,hint", [
    ("fault_other_id", r'its descriptor says "pg_stats", its note "fault_other_id"', "."),
    ("fault_no_entry", r"it does not export pga_plugin_v1", "."),
    ("fault_future_minor", r"it wants plugin ABI 1\.99, this host has 1\.\d+", "."),
    ("fault_unknown_need", r"a need that this host does not know", "."),
    ("fault_schema_keyword", r"dependentSchemas", "."),
    ("fault_schema_no_json", r"output schema.*", "."),
    ("fault_schema_no_unit", r"furlong|x-kind", "."),
    ("fault_short_table", r"descriptor is missing or too short", "."),
    ("fault_no_collect", r"a function is missing from its table", "."),
    ("fault_endless_text", r"a text of its descriptor is missing or too long", "."),
    ("fault_not_utf8", r"UTF-8", "."),
    ("fault_wild_pointer", r"ended the worker while being loaded|its descriptor", "."),
    ("fault_constructor_segv", r"ended the worker while being loaded", "."),
    ("fault_entry_exit", r"ended the worker while being loaded", "."),
])
def test_a_descriptor_that_is_wrong(folder, plugin, message, hint):
    folder.put(plugin)
    check_refused(folder.list(), message, hint)
    assert folder.started() == [plugin], "the wrapper must have seen its worker: it is what other tests rely on"


def test_two_files_of_one_id(folder):
    second = folder.make("second")
    first_path, second_path = folder.put("fault_neighbour"), folder.put("fault_neighbour", name="other_name", folder=second)
    entries = folder.list(folder.plugins, second)
    assert [entry["state"] for entry in entries if entry["path"] == first_path] == ["available"]
    check_refused(entries, rf"not used: {first_path} has the same id and comes first", "(?i)remove", path=second_path)
    assert folder.started() == ["fault_neighbour"], "only the first is loaded"


def test_an_untrusted_file_does_not_hide_a_good_one(folder):
    """Whoever may write to the first folder could otherwise switch plugins off."""
    second = folder.make("second")
    os.chmod(folder.put("fault_neighbour"), 0o777)
    good = folder.put("fault_neighbour", folder=second)
    assert [entry["state"] for entry in folder.list(folder.plugins, second) if entry["path"] == good] == ["available"]
