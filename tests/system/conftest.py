"""Fixtures of the system tests. PGANALYTICS_BINARY_DIR names the build folder; ctest sets it."""

import os
import shutil
import tempfile

import pytest

from harness.collector import Collector
from harness.postgres import Postgres
from harness.server import Server

BINARIES = os.environ.get("PGANALYTICS_BINARY_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "build"))


@pytest.fixture
def binaries():
    return os.path.abspath(BINARIES)


@pytest.fixture
def folder():
    """A folder of the test's own that the databases' user can enter too. pytest's own temporary folders are not used: a second
    pytest beside this one would tidy them away."""
    path = tempfile.mkdtemp(prefix="pga-system-", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def postgres():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def server(binaries, folder):
    running = Server(binaries, folder)
    running.start()
    yield running
    running.close()


@pytest.fixture
def make_collector(binaries, folder):
    """make_collector(plugins_toml, server=..., ...) -> Collector; stopped at the end."""
    made = []

    def make(plugins, **options):
        collector = Collector(binaries, folder, plugins, plugin_dirs=[os.path.join(binaries, "tests", "plugins")], **options)
        made.append(collector)
        return collector

    yield make
    for collector in made:
        collector.close()
