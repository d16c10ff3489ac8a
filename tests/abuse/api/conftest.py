"""Fixtures of the API abuse cases. PGANALYTICS_BINARY_DIR names the build folder; ctest sets it."""

import collections
import os
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "system")]

from harness.postgres import Postgres  # noqa: E402
from site_of_abuse import Site  # noqa: E402

SHARED = []
BINARIES = os.path.abspath(os.environ.get("PGANALYTICS_BINARY_DIR", os.path.join(HERE, "..", "..", "..", "build")))


@pytest.fixture(scope="session")
def postgres():
    server = Postgres({"max_connections": "200"})
    yield server
    server.close()


@pytest.fixture(scope="session")
def make_site(postgres):
    """make_site(config=...) -> Site; a server of its own on a fresh database, closed at the end."""
    made, folders = [], []

    def make(**options):
        folder = tempfile.mkdtemp(prefix="pga-abuse-", dir="/tmp")
        os.chmod(folder, 0o755)
        folders.append(folder)
        made.append(Site(BINARIES, folder, postgres, **options))
        return made[-1]

    yield make
    for site in made:
        site.close()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def site(make_site):
    """The server that most cases share: roomy limits."""
    SHARED.append(make_site())
    return SHARED[0]


@pytest.fixture(scope="module", autouse=True)
def aftermath():
    """After each family: the server lives, has not grown, has not failed, and has told no secret."""
    yield
    for site in SHARED:
        site.check_health()


def pytest_terminal_summary(terminalreporter):
    """How many distinct cases of which family."""
    families = collections.Counter(os.path.basename(report.nodeid.split("::")[0])[5:-3] for report in terminalreporter.stats.get("passed", []))
    terminalreporter.write_line("cases passed: " + ", ".join(f"{name} {count}" for name, count in sorted(families.items())) +
                                f"; in all {sum(families.values())}")
