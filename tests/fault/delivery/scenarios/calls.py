"""S2: the collector dies inside its Nth write, sync, rename, unlink, truncate or open, for every N that a life has."""

import json
import time

from faults import Faults
from lives import Life, live_and_die
import oracle
from rig import AWAY, PATIENCE_S, SHIM, eventually
from scenario import scenario

LIFE_S = 0.5
TOGETHER = 4


def count_calls(collector, seconds):
    """How many of each operation a life has that goes on for so long after its first documents, and stops in order. No two lives are the
    same, so some plans hit nothing: then the life ends by itself."""
    faults = Faults(collector)
    collector.start(faults.environment)
    eventually(lambda: collector.cursor() > 0, PATIENCE_S, "the first documents")
    time.sleep(seconds)  # what is counted
    collector.stop()
    return faults.counts()


EFFECTS = {"write": ("torn", "kill", "after"), "sync": ("kill", "after"), "rename": ("kill", "after"), "unlink": ("kill", "after"),
           "truncate": ("kill", "after"), "edit": ("kill",)}
ALL = [(operation, effect) for operation, effects in EFFECTS.items() for effect in effects]


@scenario(
    row="S2",
    expect="whichever call of a steady life is its last: nothing lost, nothing twice",
    runs={f"{operation}-{effect}": dict(operation=operation, effect=effect) for operation, effect in ALL if operation != "rename"},
    short=["sync-kill"],
    limit_s=600,
)
def every_call_of_a_life(rig, operation, effect):
    """Start, seal, push, acknowledge, stop in order. A call that no life comes to ends nothing, which is no harm."""
    collectors = [rig.collector() for _ in range(TOGETHER)]
    life = dict(most_s=LIFE_S + 10, stop_after_s=LIFE_S)
    calls = count_calls(collectors[0], LIFE_S)[operation]
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
    calls = count_calls(first, 0.1)[operation]
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
    calls = count_calls(collectors[0], LIFE_S)[operation]
    plans = [f"{operation}:{call}:{effect}" for call in range(1, calls + 1)]
    live_and_die(rig, collectors, ((lambda collector, plan=plan: Life(rig, collector, Faults(collector, plan, rig.random.randrange(2**32)), most_s=LIFE_S + 3))
                                   for plan in plans))
    for collector in collectors:
        collector.push_to(None)
        rig.settle(collector)


def register(collector, token, faults=None):
    """The command's exit status; negative: what killed it."""
    kept = collector.environment
    collector.environment = {**kept, **({"LD_PRELOAD": SHIM, "FAULT_BELOW": collector.state_dir, **faults.environment} if faults else {})}
    done = collector.command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], "--json", input=token["token"])
    collector.environment = kept
    if done.returncode == 0:
        collector.id = json.loads(done.stdout)["id"]
        collector.ids = [collector.id]
    return done.returncode


@scenario(
    row="A3",
    expect="whichever call of `register` is its last, the same command with the same token brings it to its end: one identity, and it works",
    runs={f"{operation}-{effect}": dict(operation=operation, effect=effect) for operation, effect in ALL if operation != "truncate"},
    short=["rename-kill"],
    limit_s=600,
)
def every_call_of_a_registration(rig, operation, effect):
    counted = rig.collector("counted", register=False)
    faults = Faults(counted)
    assert register(counted, rig.server.cli("token", "create"), faults) == 0
    for call in range(1, faults.counts()[operation] + 1):
        collector = rig.collector(f"call{call}", register=False)
        token = rig.server.cli("token", "create")
        if register(collector, token, Faults(collector, f"{operation}:{call}:{effect}", rig.random.randrange(2**32))) == -9:
            rig.count("kills")
            assert register(collector, token) == 0, f"after call {call}: see {collector.folder}"
        found = oracle.query(rig.site.database, f"select id from pganalytics.collectors where name = '{collector.name}'"
                                                f" and created_at >= to_timestamp({rig.started})")
        assert found == [[collector.id]], f"after call {call} there are {found}, and it is {collector.id}"
        rig.settle(collector)
    rig.settle(counted)
