"""Many short lives at once: each collector is started, watched until its first commit, killed a moment later, and started again.

One thread looks after all of them, so that the moments are the seed's and not the scheduler's of Python.
"""

import time

SETTLED_MS = (20, 200)  # most lives end so long after their first commit
EARLY_SHARE = 0.15  # the others end before it
EARLY_MS = 60  # what a start takes on a quiet machine
LONGEST_S = 20  # without a commit: the life ends all the same
POLL_S = 0.002


class Life:
    """One start of one collector."""

    def __init__(self, rig, collector, faults):
        self.collector = collector
        self.mark = collector.wal_mark()
        collector.start(faults)
        self.started = time.monotonic()
        early = rig.random.random() < EARLY_SHARE
        self.after_commit_s = rig.random.uniform(*SETTLED_MS) / 1000
        self.ends_at = self.started + (rig.random.uniform(0, EARLY_MS) / 1000 if early else LONGEST_S)
        self.watching = not early

    def is_over(self, now):
        """Also when it has ended by itself: a fault of the shim kills from inside."""
        if self.watching and self.collector.wal_mark() != self.mark:
            self.watching = False
            self.ends_at = now + self.after_commit_s
        return now >= self.ends_at or self.collector.process.poll() is not None


def live_and_die(rig, collectors, kills, faults=lambda: None, ended=lambda collector: None):
    """Starts and kills until `kills` lives have ended. faults() -> the environment of the next life's shim; ended(collector) is
    called when a process ended by itself, before the next is started."""
    begun = ended_count = 0
    lives = {}
    while ended_count < kills:
        now = time.monotonic()
        for collector in collectors:
            life = lives.get(collector)
            if life is None:
                if begun < kills:
                    lives[collector] = Life(rig, collector, faults())
                    begun += 1
            elif life.is_over(now):
                if collector.running:
                    rig.kill(collector)
                else:
                    collector.process.wait()
                    ended(collector)
                ended_count += 1
                lives[collector] = None
        time.sleep(POLL_S)
