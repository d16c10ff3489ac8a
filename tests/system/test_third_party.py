"""A third party's plugin: from its source to documents that a client of the server reads, with nothing in the server made for it."""

import os
import subprocess

import pytest
from harness.collector import Collector
from harness.oracle import check_no_holes, check_nothing_twice
from harness.wait import eventually


@pytest.fixture
def run_collector(binaries, folder, server):
    """run_collector(binaries, plugins, plugin_dirs) -> a registered collector that runs; stopped at the end."""
    made = []

    def run(installation, plugins, plugin_dirs):
        collector = Collector(installation, folder, plugins, server=server, plugin_dirs=plugin_dirs)
        made.append(collector)
        collector.register()
        collector.start()
        return collector

    yield run
    for collector in made:
        collector.close()


def documents(server, collector, type, at_least):
    return eventually(lambda: (rows := server.metrics(collector.id, type)) and len(rows) >= at_least and rows, 60,
                      f"{at_least} documents of {type}, see {collector.log_path}")


def test_the_c_example_delivers_and_takes_configuration_from_the_server(binaries, server, run_collector):
    collector = run_collector(binaries, '[plugins.example_loadavg]\ninterval = "1s"\n', [os.path.join(binaries, "tests", "examples")])
    rows = documents(server, collector, "example_loadavg", 3)
    for row in rows:
        assert row["document"]["type"] == "example_loadavg"
        assert row["document"]["tasks"] >= row["document"]["running"] >= 0 and row["document"]["load1"] >= 0
    check_nothing_twice(server.metrics(collector.id))
    check_no_holes(server.metrics(collector.id))

    # The server has never heard of this plugin but from its documents; that is enough to configure it.
    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"intervals": {"example_loadavg": "7s"}}, role="admin")
    assert answer.status == 200, answer.text
    answer = server.request("PUT", f"/api/v1/config/{collector.id}", {"intervals": {"example_unheard": "7s"}}, role="admin")
    assert answer.status == 400 and "example_unheard" in answer.text
    collector.stop()


@pytest.fixture
def prefix(binaries, folder):
    """The programs and the SDK, installed: what an author has."""
    path = os.path.join(folder, "prefix")
    for component in ("collector", "sdk"):
        subprocess.run(["cmake", "--install", binaries, "--prefix", path, "--component", component], check=True, capture_output=True)
    return path


@pytest.mark.parametrize("language", ("c", "cpp"))
def test_from_plugin_new_to_documents_in_the_server(prefix, folder, server, run_collector, language):
    project = os.path.join(folder, "forks")
    environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "CFLAGS": os.environ.get("PGANALYTICS_TEST_FLAGS", ""),
                   "CXXFLAGS": os.environ.get("PGANALYTICS_TEST_FLAGS", "")}
    program = os.path.join(prefix, "bin", "pganalytics")
    for command in ([program, "plugin", "new", project, "--lang", language, "--id", "acme_forks"],
                    ["cmake", "-S", project, "-B", f"{project}/build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                    ["cmake", "--build", f"{project}/build"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"

    collector = run_collector(prefix, '[plugins.acme_forks]\ninterval = "1s"\n', [f"{project}/build"])
    for row in documents(server, collector, "acme_forks", 2):
        assert row["document"]["forks"] > 0
        assert row["document"]["forks_per_second_peak"] >= row["document"]["forks_per_second"]
    collector.stop()
