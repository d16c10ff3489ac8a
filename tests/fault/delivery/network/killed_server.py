"""pganalytics-server as a process that is killed and started again, quickly: nobody asks whether it is healthy, only whether it listens."""

import os
import signal
import socket
import subprocess
import time

from rig import OWN

KILL_AT_COMMIT = os.path.join(OWN, "libfault_kill_at_commit.so")
START_S = 30


def start(server, **environment):
    """Until it listens. environment: of the library that kills it (shim/kill_at_commit.c)."""
    preload = {"LD_PRELOAD": KILL_AT_COMMIT, **environment} if environment else {}
    with open(server.log_path, "a") as log:
        server.process = subprocess.Popen([server.binary, "run", "--config", server.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                                          env={**os.environ, **server.environment, **preload})
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            assert environment, f"the server ended with {server.process.returncode}, see {server.log_path}"
            return  # killed already: its first commit came that fast
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.005)
    raise AssertionError(f"the server does not listen after {START_S} s, see {server.log_path}")


def wait_until_killed(server, seconds):
    assert server.process.wait(seconds) == -signal.SIGKILL, f"the server ended with {server.process.returncode}, see {server.log_path}"
