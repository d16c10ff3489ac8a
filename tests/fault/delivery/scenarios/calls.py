"""S2: the collector dies inside its Nth write, sync, rename, unlink, truncate or open, for every N that a life has."""

import time

from faults import Faults
from lives import Life, live_and_die
from rig import AWAY, eventually
from scenario import scenario

LIFE_S = 0.5
TOGETHER = 4


def count_calls(rig, collector, **life):
    """How many of each operation such a life has, with some to spare, because no two lives are the same."""
    faults = Faults(collector)
    one = Life(rig, collector, faults, **life)
    eventually(lambda: one.is_over(time.monotonic()), 60, "the counting life ended", every=0.01)
    if collector.running:
        collector.stop()
    return faults.counts()


EFFECTS = {"write": ("torn", "kill", "after"), "sync": ("kill", "after"), "rename": ("kill", "after"), "unlink": ("kill", "after"),
           "truncate": ("kill", "after"), "edit": ("kill",)}
ALL = [(operation, effect) for operation, effects in EFFECTS.items() for effect in effects]


@scenario(
    row="S2",
    expect="whichever call of a steady life is its last: nothing lost, nothing twice",
    runs={f"{operation}-{effect}": dict(operation=operation, effect=effect) for operation, effect in ALL},
    short=["sync-kill"],
    limit_s=600,
)
def every_call_of_a_life(rig, operation, effect):
    """Start, seal, push, acknowledge, stop in order."""
    collectors = [rig.collector() for _ in range(TOGETHER)]
    life = dict(most_s=LIFE_S + 10, stop_after_s=LIFE_S)
    calls = count_calls(rig, collectors[0], **life)[operation]
    plans = [f"{operation}:{call}:{effect}" for call in range(1, calls + 1)]
    live_and_die(rig, collectors, ((lambda collector, plan=plan: Life(rig, collector, Faults(collector, plan, rig.random.randrange(2**32)), **life))
                                   for plan in plans))
    for collector in collectors:
        rig.settle(collector)


@scenario(
    row="S2",
    expect="whichever call makes the spool is the last: the next start has a sound one",
    runs={f"{operation}-{effect}": dict(operation=operation, effect=effect) for operation, effect in ALL if operation not in ("rename", "edit")},
    limit_s=600,
)
def every_call_of_a_new_spool(rig, operation, effect):
    """Each life is the first of its state folder."""
    first = rig.collector("counted")
    calls = count_calls(rig, first, most_s=0.2)[operation]
    for call in range(1, calls + 1):
        collector = rig.collector(f"call{call}")
        live_and_die(rig, [collector], [lambda made: Life(rig, made, Faults(made, f"{operation}:{call}:{effect}", rig.random.randrange(2**32)), most_s=3)])
        rig.settle(collector)
    rig.settle(first)


@scenario(
    row="S2",
    expect="whichever call of a life with a backlog is its last: nothing lost, nothing twice",
    runs={f"{operation}-{effect}": dict(operation=operation, effect=effect) for operation, effect in ALL if operation in ("write", "sync")},
    limit_s=600,
)
def every_call_with_a_backlog(rig, operation, effect):
    """The server is away while they die, so that every acknowledgement is still to come."""
    collectors = [rig.collector(url=AWAY) for _ in range(TOGETHER)]
    calls = count_calls(rig, collectors[0], most_s=LIFE_S)[operation]
    plans = [f"{operation}:{call}:{effect}" for call in range(1, calls + 1)]
    live_and_die(rig, collectors, ((lambda collector, plan=plan: Life(rig, collector, Faults(collector, plan, rig.random.randrange(2**32)), most_s=LIFE_S + 3))
                                   for plan in plans))
    for collector in collectors:
        collector.push_to(None)
        rig.settle(collector)
