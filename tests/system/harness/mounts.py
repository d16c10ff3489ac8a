"""Mounts of the test's own: a mount namespace that nobody else sees, and a FUSE file system that answers when it is let.

Not here: what the collector makes of them. The kernel's side: mount_namespaces(7), Documentation/filesystems/fuse, linux/fuse.h."""

import ctypes
import os
import select
import struct
import threading

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x20000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, type, flags=0, options=""):
    _check(_libc.mount(source.encode(), target.encode(), type.encode(), ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def unmount(target):
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def enter_namespace():
    """From now on this process and its children see mounts of their own. OSError: the kernel or the user's rights forbid it."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", "", MS_REC | MS_PRIVATE)


class Fuse:
    """A file system with nothing but its root. While `answers` is clear, a statfs that has been read from the kernel waits, and whoever
    called it takes no signal: from SIGKILL on it is in state D until the answer comes (request_wait_answer() in fs/fuse/dev.c). Served by a thread of this process, in the kernel's protocol 7.31."""

    INIT, GETATTR, STATFS, OPENDIR, FORGET, BATCH_FORGET, INTERRUPT, DESTROY = 26, 3, 17, 27, 2, 42, 36, 38
    ENOSYS = 38

    def __init__(self, target):
        self.target = target
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0  # statfs requests that came
        self.held = []  # of them, those that wait
        self._fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        mount("slow", target, "fuse", 0, f"fd={self._fd},rootmode=40000,user_id=0,group_id=0,allow_other")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def let_answer(self):
        self.answers.set()

    def close(self):
        self.answers.set()
        try:
            unmount(self.target)
        except OSError:
            pass
        self._thread.join(10)
        os.close(self._fd)

    def _reply(self, unique, body=b"", error=0):
        try:
            os.write(self._fd, struct.pack("=IiQ", 16 + len(body), -error, unique) + body)
        except OSError:
            pass  # interrupted meanwhile, or unmounted

    def _serve(self):
        while True:
            ready, _, _ = select.select([self._fd], [], [], 0.05)
            if self.answers.is_set():
                for unique in self.held:
                    self._answer_statfs(unique)
                self.held.clear()
            if not ready:
                continue
            try:
                request = os.read(self._fd, 1 << 17)
            except OSError:  # ENODEV: unmounted
                return
            _, opcode, unique = struct.unpack_from("=IIQ", request)
            self._take(opcode, unique, request)
            if opcode == self.DESTROY:
                return

    def _take(self, opcode, unique, request):
        if opcode == self.INIT:
            major, minor = struct.unpack_from("=II", request, 40)
            self._reply(unique, struct.pack("=IIIIHHIIHHI7I", major, min(minor, 31), 65536, 0, 16, 12, 4096, 1, 0, 0, 0, *[0] * 7))
        elif opcode == self.GETATTR:
            attributes = struct.pack("=QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
            self._reply(unique, struct.pack("=QII", 0, 0, 0) + attributes)
        elif opcode == self.STATFS:
            self.asked += 1
            if self.answers.is_set():
                self._answer_statfs(unique)
            else:
                self.held.append(unique)
        elif opcode not in (self.FORGET, self.BATCH_FORGET, self.INTERRUPT, self.DESTROY):
            self._reply(unique, error=self.ENOSYS)

    def _answer_statfs(self, unique):
        self._reply(unique, struct.pack("=QQQQQIIII6I", 1000, 400, 350, 10, 5, 4096, 255, 4096, 0, *[0] * 6))
