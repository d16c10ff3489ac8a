"""S1: SIGKILL at random moments of the collector's life: while it starts, while it seals, while it pushes."""

from lives import live_and_die
from scenario import scenario

TOGETHER = 8  # collectors at once: most of a life is waiting


@scenario(
    row="S1",
    expect="nothing sealed is lost, nothing is stored twice, it starts again each time",
    runs={"few": dict(kills=80), **{f"loop-{number}": dict(kills=500) for number in range(1, 11)},
          "large-documents": dict(kills=250, size=20_000), "many-documents": dict(kills=250, documents=200), "gzip": dict(kills=250)},
    short=["few"],
    limit_s=600,
)
def random_kills(rig, kills, **options):
    collectors = [rig.collector(**options) for _ in range(TOGETHER)]
    live_and_die(rig, collectors, kills)
    for collector in collectors:
        rig.settle(collector)
