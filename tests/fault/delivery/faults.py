"""Plans for the preloaded libraries that spoil files (shim/fault_files.c) and memory (shim/no_memory.c), and what they counted."""

import os
import struct

from rig import OWN

OPERATIONS = ("open", "edit", "read", "write", "sync", "rename", "unlink", "truncate")
READ_ONLY = "edit,write,truncate,rename,unlink:1+:EROFS"  # a file system that was mounted again
COUNTS = (*OPERATIONS, "any", "faults", "torn")
NO_MEMORY = os.path.join(OWN, "libfault_no_memory.so")


class Counts:
    """A file that a library maps, so that it outlives a kill: of the last process that had it."""

    NAMES = COUNTS

    def __init__(self, collector):
        self.path = os.path.join(collector.folder, f"{collector.name}.counts")
        if os.path.exists(self.path):
            os.unlink(self.path)

    def counts(self):
        try:
            with open(self.path, "rb") as file:
                return {**dict.fromkeys(COUNTS, 0), **dict(zip(self.NAMES, struct.unpack(f"{len(self.NAMES)}Q", file.read())))}
        except (FileNotFoundError, struct.error):
            return dict.fromkeys(COUNTS, 0)


class Faults(Counts):
    """The environment for CountingCollector.start()."""

    def __init__(self, collector, plan="", seed=1, file=None, switch=None, record=None):
        super().__init__(collector)
        self.environment = {"FAULT_COUNTS": self.path, "FAULT_SEED": str(seed)}
        for name, value in (("FAULT_PLAN", plan), ("FAULT_FILE", file), ("FAULT_SWITCH", switch), ("FAULT_RECORD", record)):
            if value:
                self.environment[name] = value


class NoMemory(Counts):
    """The same for memory. allocations: "N" or "N-M", which fail; "any" and "faults" are counted."""

    NAMES = ("any", "faults")

    def __init__(self, collector, allocations=""):
        super().__init__(collector)
        self.environment = {"LD_PRELOAD": NO_MEMORY, "FAULT_COUNTS": self.path, **({"FAULT_ALLOCATION": allocations} if allocations else {})}
