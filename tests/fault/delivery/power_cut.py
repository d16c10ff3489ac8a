"""What a disk may have after a power cut, rebuilt from a record of every change (shim/fault_files.c, FAULT_RECORD).

Legal are: of each file, all that was written before its last sync, and of what was written since any subset of sectors, in any order; of
created, renamed and deleted names a prefix that has at least what came before the last sync of any file (a journalling file system commits
those in order). -shm files are memory.
"""

import os
import struct
from dataclasses import dataclass, field

HEAD = struct.Struct("=IIQq")  # operation, bytes of path, bytes of data, offset
SECTOR = 512
OPERATIONS = ("open", "edit", "read", "write", "sync", "rename", "unlink", "truncate")


@dataclass
class Change:
    operation: str
    path: str
    data: bytes
    offset: int


def read_record(path):
    changes = []
    with open(path, "rb") as file:
        content = file.read()
    at = 0
    while at + HEAD.size <= len(content):
        operation, path_bytes, size, offset = HEAD.unpack_from(content, at)
        at += HEAD.size
        name, data = content[at:at + path_bytes].decode(), content[at + path_bytes:at + path_bytes + size]
        at += path_bytes + size
        changes.append(Change(OPERATIONS[operation], name, data, offset))
    return changes


def applied(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


@dataclass
class File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list = field(default_factory=list)  # (offset, data), or (size, None) for a truncation

    def sync(self):
        self.durable = self.whole()
        self.pending = []

    def whole(self):
        content = bytearray(self.durable)
        for offset, data in self.pending:
            if data is None:
                del content[offset:]
            else:
                applied(content, offset, data)
        return content

    def cut(self, random):
        """One of the contents it may have."""
        how = random.choice(("none", "all", "prefix", "sectors", "sectors"))
        content = bytearray(self.durable)
        if how == "none":
            return content
        count = random.randrange(len(self.pending) + 1) if how == "prefix" else len(self.pending)
        for offset, data in self.pending[:count]:
            if data is None:
                if how != "sectors" or random.random() < 0.5:
                    del content[offset:]
                continue
            for begin in range(0, len(data), SECTOR):
                if how != "sectors" or random.random() < 0.5:
                    applied(content, offset + begin, data[begin:begin + SECTOR])
        return content


class Disk:
    """The folder while the record is played: what is durable, and what is only written."""

    def __init__(self):
        self.names = {}  # as the program sees it
        self.durable_names = {}
        self.steps = []  # names that are not durable yet: functions of a dictionary

    def play(self, change):
        path = change.path.removesuffix(" (deleted)")
        if change.operation == "edit":
            made = File()
            self._name(lambda names: names.__setitem__(path, made))
        elif change.operation == "unlink":
            self._name(lambda names: names.pop(path, None))
        elif change.operation == "rename":
            moved = self.names.get(path)
            target = change.data.decode()
            self._name(lambda names: (names.pop(path, None), names.__setitem__(target, moved)))
        elif change.operation == "sync":
            self.durable_names, self.steps = dict(self.names), []
            if path in self.names:
                self.names[path].sync()
        elif path in self.names:
            self.names[path].pending.append((change.offset, None if change.operation == "truncate" else change.data))

    def _name(self, step):
        step(self.names)
        self.steps.append(step)

    def cut(self, random):
        """{path: content} after a power cut now."""
        names = dict(self.durable_names)
        for step in self.steps[:random.randrange(len(self.steps) + 1)]:
            step(names)
        return {path: bytes(file.cut(random)) for path, file in names.items() if file}

    def whole(self):
        return {path: bytes(file.whole()) for path, file in self.names.items() if file}


def write_folder(files, folder, to):
    """Those of `files` that lie directly in `folder`, written to the folder `to`."""
    os.makedirs(to, mode=0o700, exist_ok=True)
    for path, content in files.items():
        if os.path.dirname(path) == folder and not path.endswith("-shm"):
            with open(os.path.join(to, os.path.basename(path)), "wb") as file:
                file.write(content)
