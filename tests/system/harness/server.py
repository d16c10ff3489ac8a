"""pganalytics-server as a process, and its API as a client sees it."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess

from .wait import eventually, stop_process


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.text)


class Server:
    """One data_dir with its private PostgreSQL. start() and stop() may be called any number of times. data_dir: another server's, to share."""

    def __init__(self, binaries, folder, extra_config="", data_dir=None):
        self.binary = os.path.join(binaries, "bin", "pganalytics-server")
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.data_dir = data_dir or os.path.join(folder, "server")
        self.ca_file = os.path.join(self.data_dir, "ca.crt")
        self.config = os.path.join(folder, "server.toml")
        self.log_path = os.path.join(folder, "server.log")
        with open(self.config, "w") as config:
            config.write(f'[server]\nlisten = "127.0.0.1:{self.port}"\ndata_dir = "{self.data_dir}"\n{extra_config}\n')
        self.environment = {}  # more of it, from the next start on
        self.process = None
        self._keys = {}

    def start(self):
        self.process = subprocess.Popen([self.binary, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.log_path, "a"), env={**os.environ, **self.environment})
        eventually(self._healthy, 120, f"server at {self.url} healthy, see {self.log_path}")

    def _healthy(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"server ended with {self.process.returncode}: {self.log()[-2000:]}")
        return os.path.exists(self.ca_file) and self.request("GET", "/api/v1/health").status == 200

    def stop(self):
        status = stop_process(self.process, 40, "pganalytics-server")
        assert status == 0, f"server ended with {status}: {self.log()[-2000:]}"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            stop_process(self.process, 40, "pganalytics-server")

    def log(self):
        with open(self.log_path) as log:
            return log.read()

    def cli(self, *arguments):
        """A command of pganalytics-server, its --json output parsed."""
        done = subprocess.run([self.binary, *arguments, "--config", self.config, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=90, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def key(self, role):
        if role not in self._keys:
            self._keys[role] = self.cli("key", "create", "--role", role)["key"]
        return self._keys[role]

    def request(self, method, path, body=None, headers=None, role=None, certificate=None, ca_file=None, timeout=30):
        """One request. certificate: (cert_file, key_file) for mTLS; role: sign in with an API key of that role."""
        context = ssl.create_default_context(cafile=ca_file or self.ca_file)
        if certificate:
            context.load_cert_chain(*certificate)
        headers = dict(headers or {})
        if role:
            headers["Authorization"] = "Bearer " + self.key(role)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path):
        answer = self.request("GET", path, role="viewer")
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.text}"
        return answer.json

    def metrics(self, collector_id, type=None):
        """All stored documents of a collector, newest first, through every page."""
        rows, cursor = [], None
        while True:
            page = self.get(f"/api/v1/servers/{collector_id}/metrics?limit=1000" + (f"&type={type}" if type else "") + (f"&cursor={cursor}" if cursor else ""))
            rows += page["metrics"]
            cursor = page.get("next_cursor")
            if not cursor:
                return rows
