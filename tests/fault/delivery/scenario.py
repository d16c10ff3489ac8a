"""A scenario is a function (rig, **parameters) with a row of the matrix, what is expected, and its runs.

    @scenario(row="S1", expect="nothing lost, nothing twice", runs={"idle": dict(kills=50), "busy": dict(kills=50, size=4000)}, short=["idle"])
    def random_kills(rig, kills, size=0):
        ...

The function injects its faults and ends with rig.settle(collector) for each of its collectors. A run is named random_kills/idle. A row may be
several ("N2 N5", "H1-H11 H16"), each of which names the scenario. Files in scenarios/ are found by themselves.
"""

import importlib
import os
import pkgutil
import re
from dataclasses import dataclass, field

SCENARIOS = {}
ELSEWHERE = {  # rows of the matrix that other suites have
    "S4": "build/tests/spool_sweep", "S5": "build/tests/spool_sweep", "A1": "tests/run.sh abuse_api_authn", "A2": "tests/run.sh abuse_tls_bad_clients",
    "A4": "tests/run.sh system_identity", "A5": "tests/run.sh abuse_api_revocation", "B3": "tests/run.sh abuse_api_limits abuse_api_idle_connections",
    "G1": "tests/run.sh fault_configurations", "G2": "tests/run.sh fault_configurations",
}


def rows_of(text):
    """["H1", "H2", "H3", "H16"] of "H1-H3 H16"."""
    rows = []
    for word in text.split():
        letter, first, last = re.fullmatch(r"([A-Z])(\d+)(?:-[A-Z](\d+))?", word).groups()
        rows += [f"{letter}{number}" for number in range(int(first), int(last or first) + 1)]
    return rows


@dataclass(frozen=True)
class Scenario:
    name: str
    row: str
    expect: str
    body: object
    runs: dict = field(hash=False)
    short: tuple = ()
    limit_s: int = 300  # after so long a run has failed
    own_site: bool = False  # its server or database does not survive it
    server_config: str = ""  # more of it, for a site of its own

    @property
    def rows(self):
        return rows_of(self.row)


@dataclass(frozen=True)
class Run:
    scenario: Scenario
    variant: str

    @property
    def name(self):
        return f"{self.scenario.name}/{self.variant}"

    @property
    def parameters(self):
        return self.scenario.runs[self.variant]

    @property
    def is_short(self):
        return self.variant in self.scenario.short


def scenario(row, expect, runs=None, short=(), limit_s=300, own_site=False, server_config=""):
    runs = runs or {"1": {}}
    unknown = set(short) - set(runs)
    assert not unknown, f"short names runs that are none: {unknown}"

    def add(body):
        assert body.__name__ not in SCENARIOS, f"two scenarios are called {body.__name__}"
        SCENARIOS[body.__name__] = Scenario(body.__name__, row, expect, body, runs, tuple(short), limit_s, own_site or bool(server_config), server_config)
        return body

    return add


def load_all():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")
    for module in sorted(pkgutil.iter_modules([folder]), key=lambda module: module.name):
        importlib.import_module(f"scenarios.{module.name}")
    return [Run(found, variant) for found in SCENARIOS.values() for variant in found.runs]
