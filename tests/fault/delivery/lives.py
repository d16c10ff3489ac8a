"""Many short lives at once: each collector is started, watched until it has sealed, killed a moment later, and started again.

One thread looks after all of them, so that the moments are the seed's and not the scheduler's of Python.
"""

import signal
import time

AFTER_COMMIT_MS = (20, 200)  # most lives end so long after the first commits
COMMITS = 2  # the first is the opening's
EARLY_SHARE = 0.15  # the others end before it
EARLY_MS = 60  # what a start takes on a quiet machine
LONGEST_S = 20  # without a commit: the life ends all the same
POLL_S = 0.002


class Life:
    """One start of one collector. faults: what its shim does; stop_after_s: SIGTERM then, so that the fault may hit an orderly end."""

    def __init__(self, rig, collector, faults=None, most_s=None, stop_after_s=None):
        self.collector, self.faults = collector, faults
        self.mark, self.commits = collector.wal_mark(), 0
        collector.start(faults.environment if faults else None)
        self.started = time.monotonic()
        early = most_s is None and rig.random.random() < EARLY_SHARE
        self.after_commit_s = rig.random.uniform(*AFTER_COMMIT_MS) / 1000
        self.ends_at = self.started + (rig.random.uniform(0, EARLY_MS) / 1000 if early else most_s or LONGEST_S)
        self.watching = not early and most_s is None
        self.stop_at = self.started + stop_after_s if stop_after_s is not None else None

    def is_over(self, now):
        """Also when it has ended by itself: a fault of the shim kills from inside."""
        if self.watching and (mark := self.collector.wal_mark()) != self.mark:
            self.mark, self.commits = mark, self.commits + 1
            if self.commits >= COMMITS:
                self.watching = False
                self.ends_at = now + self.after_commit_s
        if self.stop_at is not None and now >= self.stop_at and self.collector.running:
            self.collector.process.terminate()
            self.stop_at = None
        return now >= self.ends_at or self.collector.process.poll() is not None

    def end(self, rig):
        """Kills what still lives, and counts what ended it."""
        if self.collector.running:
            rig.kill(self.collector)
            return
        if self.collector.process.wait() == -signal.SIGKILL:
            rig.count("kills")
        if self.faults:
            rig.count("torn", self.faults.counts()["torn"])


def live_and_die(rig, collectors, lives):
    """lives: what is done with each start: callables (collector) -> Life, taken by whichever collector is free."""
    waiting, current = iter(lives), {}
    exhausted = False
    while not exhausted or any(current.values()):
        now = time.monotonic()
        for collector in collectors:
            life = current.get(collector)
            if life is not None and life.is_over(now):
                life.end(rig)
                current[collector] = life = None
            if life is None and not exhausted:
                begin = next(waiting, None)
                exhausted = begin is None
                current[collector] = begin(collector) if begin else None
        time.sleep(POLL_S)


def plain_lives(rig, kills):
    return (lambda collector: Life(rig, collector) for _ in range(kills))
