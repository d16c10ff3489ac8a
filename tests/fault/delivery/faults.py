"""Plans for the preloaded library (shim/fault_files.c), and what it counted."""

import os
import struct

OPERATIONS = ("open", "edit", "read", "write", "sync", "rename", "unlink", "truncate")
READ_ONLY = "edit,write,truncate,rename,unlink:1+:EROFS"  # a file system that was mounted again
COUNTS = (*OPERATIONS, "any", "faults", "torn")


class Faults:
    """The environment for CountingCollector.start(), and the counts of the last process that had it."""

    def __init__(self, collector, plan="", seed=1, file=None, switch=None, record=None):
        self.path = os.path.join(collector.folder, f"{collector.name}.counts")
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.environment = {"FAULT_COUNTS": self.path, "FAULT_SEED": str(seed)}
        for name, value in (("FAULT_PLAN", plan), ("FAULT_FILE", file), ("FAULT_SWITCH", switch), ("FAULT_RECORD", record)):
            if value:
                self.environment[name] = value

    def counts(self):
        try:
            with open(self.path, "rb") as file:
                return dict(zip(COUNTS, struct.unpack(f"{len(COUNTS)}Q", file.read())))
        except (FileNotFoundError, struct.error):
            return dict.fromkeys(COUNTS, 0)
