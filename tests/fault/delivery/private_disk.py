"""A disk of a collector's own: its state folder becomes a tmpfs of a given size in a user and mount namespace, where it can be filled and
made read-only without being root and without anybody else noticing. A sleeping process holds the namespace; the disk ends with it.

Root needs no user namespace, and has none here: in it the files of the server's user would belong to nobody."""

import os
import shutil
import subprocess

from rig import eventually


NEW_USER = [] if os.geteuid() == 0 else ["-U", "-r"]


def root_is_a_mount():
    with open("/proc/self/mountinfo") as mounts:
        return any(line.split()[4] == "/" for line in mounts)


# In a chroot there is no mount at "/" whose propagation could be changed, and entering a namespace leaves the chroot.
PROPAGATION = ("--propagation", "private" if root_is_a_mount() else "unchanged")
STAY_IN_ROOT = () if root_is_a_mount() else ("-r", "-w")


class PrivateDisk:
    def __init__(self, rig, collector, size):
        self.collector = collector
        self.folder = collector.state_dir
        self.is_mounted = False
        self.holder = subprocess.Popen(["unshare", *NEW_USER, "-m", *PROPAGATION, "sleep", "infinity"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        rig.to_close.append(self.close)
        eventually(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt"), 10, "the namespace is made", every=0.01)
        eventually(self._is_mapped, 10, "its users are mapped", every=0.01)
        self.seen = f"/proc/{self.holder.pid}/root{self.folder}"
        self.run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", self.folder)
        self.is_mounted = True
        for entry in os.listdir(self.folder):  # what is below the mount: the identity
            whole = os.path.join(self.folder, entry)
            if not entry.endswith(".sock"):
                (shutil.copytree if os.path.isdir(whole) else shutil.copy2)(whole, os.path.join(self.seen, entry))
        collector.wrapper = self.wrapper
        collector.seen_dir = self.seen

    @property
    def wrapper(self):
        return ("nsenter", "-t", str(self.holder.pid), "-m", *STAY_IN_ROOT, *(["-U", "--preserve-credentials"] if NEW_USER else []))

    def _is_mapped(self):
        with open(f"/proc/{self.holder.pid}/uid_map") as ids:
            return not NEW_USER or ids.read().strip() != ""

    def run(self, *words):
        done = subprocess.run([*self.wrapper, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        assert done.returncode == 0, f"{words}: {done.stdout}"

    def remount(self, options):
        self.run("mount", "-o", f"remount,{options}", self.folder)

    def fill(self):
        """Not a byte is left for anybody else."""
        with open(os.path.join(self.seen, "filler"), "wb", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while filler.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def empty(self):
        os.unlink(os.path.join(self.seen, "filler"))

    def close(self):
        if self.collector.running:
            self.collector.kill()
        if self.is_mounted:
            self.run("umount", "-l", self.folder)  # where propagation is unchanged, others may see the mount
        self.holder.kill()
        self.holder.wait()
