"""PGANALYTICS_BINARY_DIR names the build folder; the system tests' harness does the rest."""

import os
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "system")]
BINARIES = os.path.abspath(os.environ.get("PGANALYTICS_BINARY_DIR", os.path.join(HERE, "..", "..", "..", "build")))


@pytest.fixture(scope="module")
def binaries():
    return BINARIES


@pytest.fixture(scope="module")
def folder():
    path = tempfile.mkdtemp(prefix="pga-tls-", dir="/tmp")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def pytest_terminal_summary(terminalreporter):
    passed = len(terminalreporter.stats.get("passed", []))
    terminalreporter.write_line(f"{passed} TLS cases held")
