"""A plugin's crash costs one worker: it is restarted, and the others lose no tick."""

import os
import signal
from datetime import datetime

from harness.wait import eventually

INTERVAL_S = 2
DOCUMENTS_PER_RUN = 3  # of plugins/serial.c


def test_a_segfault_in_one_worker_leaves_the_others_alone(server, make_collector):
    collector = make_collector(f'[plugins.test_serial]\nenabled = true\ninterval = "{INTERVAL_S}s"\n[plugins.sysstat]\nenabled = true\ninterval = "1s"\n', server=server)
    collector.register()
    collector.start()

    def count(type):
        return len(server.metrics(collector.id, type))

    eventually(lambda: count("sysstat") >= 2 and count("test_serial") >= 2, 30, "both plugins deliver")
    for _ in range(2):
        victim = eventually(lambda: collector.worker_pid("sysstat"), 30, "sysstat's worker")
        before = count("sysstat")
        os.kill(victim, signal.SIGSEGV)
        eventually(lambda: collector.worker_pid("sysstat") not in (None, victim), 30, "a new worker")
        eventually(lambda: count("sysstat") > before + 1, 60, "sysstat delivers again")
    serials = count("test_serial")
    eventually(lambda: count("test_serial") >= serials + 2 * DOCUMENTS_PER_RUN, 30, "two more runs of the neighbour, after the crashes")
    collector.stop()

    # Nominal times of the neighbour's runs: never more than a tenth off the interval, so one and a half of it means a lost tick.
    times = sorted({datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")) for row in server.metrics(collector.id, "test_serial")})
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(times, times[1:])]
    assert len(gaps) >= 3 and max(gaps) < 1.5 * INTERVAL_S, f"a tick of the neighbour is missing: {times}"
