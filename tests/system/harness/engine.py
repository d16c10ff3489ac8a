"""Prometheus and VictoriaMetrics, real ones, as processes. A test that needs one skips where the package is not installed; in a run of everything it fails."""

import json
import os
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest

from .wait import eventually, stop_process


def needs(program):
    """Where the program is. tests/run.sh has installed it, and says so with PGANALYTICS_TEST_EVERY_MAJOR."""
    path = shutil.which(program)
    if path is None:
        package = "victoria-metrics" if program.startswith("victoria") else "prometheus"
        missing = f"{program} is not installed (Debian: apt-get install {package})"
        if os.environ.get("PGANALYTICS_TEST_EVERY_MAJOR") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url, timeout=30):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


class Engine:
    """Something that answers PromQL."""

    def __init__(self, folder, name):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.log_path = os.path.join(folder, f"{name}.log")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def arguments(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL, stdout=open(self.log_path, "a"), stderr=subprocess.STDOUT)
        eventually(self.is_ready, 30, f"a ready engine, see {self.log_path}")

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}")
        return fetch(self.url + self.health)

    def query(self, promql):
        """[(labels, value)] of an instant query."""
        answer = json.loads(fetch(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"))
        assert answer["status"] == "success", answer
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            stop_process(self.process, 30, "the engine")


class Prometheus(Engine):
    health = "/-/ready"

    def __init__(self, folder, scraped_port=None, features=()):
        super().__init__(folder, "prometheus")
        self.binary = needs("prometheus")
        self.features = features
        self.config = os.path.join(folder, "prometheus.yml")
        with open(self.config, "w") as config:
            config.write("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n")
            if scraped_port:
                config.write(f"scrape_configs:\n- job_name: pganalytics\n  static_configs:\n  - targets: ['127.0.0.1:{scraped_port}']\n")

    def arguments(self):
        return [self.binary, f"--config.file={self.config}", f"--storage.tsdb.path={self.folder}", f"--web.listen-address=127.0.0.1:{self.port}", *self.features]


class VictoriaMetrics(Engine):
    health = "/health"

    def __init__(self, folder):
        super().__init__(folder, "victoria-metrics")
        self.binary = needs("victoria-metrics")

    def arguments(self):
        # Whoever is killed between an answer and its record of it sends again: one sample of a series and a millisecond is kept.
        return [self.binary, f"-storageDataPath={self.folder}", f"-httpListenAddr=127.0.0.1:{self.port}", "-search.latencyOffset=0s", "-retentionPeriod=1",
                "-dedup.minScrapeInterval=1ms"]
