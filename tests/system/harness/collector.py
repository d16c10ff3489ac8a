"""pganalytics, the collector, as a process."""

import json
import os
import signal
import subprocess

from .wait import stop_process


class Collector:
    """One state_dir and configuration. `plugins`: TOML text of the [plugins.*] tables."""

    def __init__(self, binaries, folder, plugins, server=None, name="db1", collector_config="", plugin_dirs=(), first_party=True, environment=None):
        self.binary = os.path.join(binaries, "bin", "pganalytics")
        self.folder = folder
        self.server = server
        self.state_dir = os.path.join(folder, name)
        self.config = os.path.join(folder, f"{name}.toml")
        self.log_path = os.path.join(folder, f"{name}.log")
        self.name = name
        self.plugin_dirs = [*([os.path.join(binaries, "lib", "pganalytics", "plugins")] if first_party else []), *plugin_dirs]
        self.environment = {**os.environ, **(environment or {})}
        self.write_config(plugins, collector_config)
        self.process = None
        self.id = None

    def write_config(self, plugins, collector_config=""):
        backend = f'[backend]\nurl = "{self.server.url}"\nca_file = "{self.server.ca_file}"\n' if self.server else ""
        with open(self.config, "w") as config:
            config.write(f'[collector]\nname = "{self.name}"\nstate_dir = "{self.state_dir}"\nplugin_dirs = {json.dumps(self.plugin_dirs)}\n'
                         f"{collector_config}\n{backend}\n{plugins}\n")

    def command(self, *arguments, input=None, timeout=120, wrapper=()):
        return subprocess.run([*wrapper, self.binary, *arguments, "--config", self.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=timeout, input=input if input is not None else "", env=self.environment)

    def register(self):
        token = self.server.cli("token", "create", "--ttl", "10m")
        done = self.command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], "--json", input=token["token"])
        assert done.returncode == 0, done.stderr
        self.id = json.loads(done.stdout)["id"]
        return self.id

    @property
    def certificate(self):
        identity = os.path.join(self.state_dir, "identity")
        return os.path.join(identity, "certificate.pem"), os.path.join(identity, "key.pem")

    def start(self):
        self.process = subprocess.Popen([self.binary, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.log_path, "a"), env=self.environment, start_new_session=True)

    def stop(self):
        status = stop_process(self.process, 20, "pganalytics")
        assert status == 0, f"collector ended with {status}: {self.log()[-2000:]}"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            stop_process(self.process, 20, "pganalytics")

    def log(self):
        with open(self.log_path, errors="backslashreplace") as log:
            return log.read()

    def worker_pid(self, plugin):
        """The process that runs `plugin` for this collector, or None."""
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as cmdline:
                    words = cmdline.read().split(b"\0")
                with open(f"/proc/{entry}/stat") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and len(words) > 1 and words[0].endswith(b"pganalytics-worker") and words[1] == plugin.encode():
                return int(entry)
        return None
