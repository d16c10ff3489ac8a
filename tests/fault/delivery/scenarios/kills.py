"""S1, S2: SIGKILL of the collector at random moments, and inside each of its file operations."""

from faults import Faults
from lives import Life, live_and_die, plain_lives
from scenario import scenario

TOGETHER = 8  # collectors at once: most of a life is waiting
LOOPS = 20


@scenario(
    row="S1",
    expect="nothing sealed is lost, nothing is stored twice, it starts again each time",
    runs={"few": dict(kills=80), **{f"loop-{number}": dict(kills=500) for number in range(1, LOOPS + 1)},
          "large-documents": dict(kills=250, size=20_000), "many-documents": dict(kills=250, documents=200)},
    short=["few"],
    limit_s=600,
)
def random_kills(rig, kills, **options):
    collectors = [rig.collector(**options) for _ in range(TOGETHER)]
    live_and_die(rig, collectors, plain_lives(rig, kills))
    rig.count("random_kills", rig.counts["kills"])
    for collector in collectors:
        rig.settle(collector)


@scenario(
    row="S2",
    expect="a torn record is never a record: nothing sealed is lost, nothing is stored twice",
    runs={"few": dict(kills=60), **{f"loop-{number}": dict(kills=250) for number in range(1, 6)}, "large-documents": dict(kills=125, size=20_000)},
    short=["few"],
    limit_s=600,
)
def torn_writes(rig, kills, **options):
    """A random write stops at a random byte, and the process dies there."""
    collectors = [rig.collector(**options) for _ in range(TOGETHER)]

    def torn_life(collector):
        call = int(rig.random.triangular(1, 90, 12))  # an opening has a dozen, a seal half a dozen
        return Life(rig, collector, Faults(collector, f"write:{call}:torn", seed=rig.random.randrange(2**32)), most_s=3)

    live_and_die(rig, collectors, (torn_life for _ in range(kills)))
    for collector in collectors:
        rig.settle(collector)
