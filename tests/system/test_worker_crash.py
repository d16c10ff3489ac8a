"""A plugin's crash costs one worker: it is restarted, and the others lose no tick."""

import os
import signal

from harness.wait import eventually


def test_a_segfault_in_one_worker_leaves_the_others_alone(server, make_collector):
    collector = make_collector('[plugins.test_serial]\nenabled = true\ninterval = "1s"\n[plugins.sysstat]\nenabled = true\ninterval = "1s"\n', server=server)
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
    collector.stop()

    # Ticks are a second apart: the neighbour's runs are numbered by the serial and timed by the schedule.
    times = sorted({row["timestamp"] for row in server.metrics(collector.id, "test_serial")})
    seconds = [int(time[11:13]) * 3600 + int(time[14:16]) * 60 + int(time[17:19]) for time in times]
    gaps = [(later - earlier) % 86400 for earlier, later in zip(seconds, seconds[1:])]
    assert max(gaps) <= 1 + 1, f"a tick of the neighbour is missing: {times}"
    assert len(times) >= len(set(range(seconds[0], seconds[-1]))) - 1
