"""The fault proxy does what it is told: bytes pass unharmed until the fault, and the fault is where it was ordered."""

import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from network.proxy import GOOD, Fault, FaultProxy  # noqa: E402



class Echo(threading.Thread):
    """Sends back what it gets, and remembers how its connections ended."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.ends = []
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    def echo(self, connection):
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
            self.ends.append("fin")
        except OSError:
            self.ends.append("reset")
        connection.close()

    def close(self):
        self.listener.close()


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo):
    running = FaultProxy(echo.address, seed=7)
    yield running
    running.close()


def connect(proxy, timeout=10):
    return socket.create_connection((proxy.host, proxy.port), timeout=timeout)


def read(sock, size):
    got = b""
    while len(got) < size and (data := sock.recv(size - len(got))):
        got += data
    return got


PAYLOAD = bytes(range(256)) * 400  # 100 KiB


@pytest.mark.parametrize("fault", [GOOD, Fault(slice_bytes=7), Fault(slice_bytes=1000, latency_s=0.02, jitter_s=0.05), Fault(coalesce_s=0.05),
                                   Fault(bytes_per_second=400_000)], ids=lambda fault: repr(fault)[6:60])
def test_a_way_may_be_bad_and_nothing_is_changed_on_it(proxy, fault):
    proxy.always(fault)
    with connect(proxy) as client:
        threading.Thread(target=client.sendall, args=(PAYLOAD,)).start()
        assert read(client, len(PAYLOAD)) == PAYLOAD


def test_latency_is_there_and_back(proxy):
    proxy.always(Fault(latency_s=0.2))
    with connect(proxy) as client:
        began = time.monotonic()
        client.sendall(b"x")
        assert read(client, 1) == b"x"
        assert 0.4 <= time.monotonic() - began < 5


def test_bandwidth(proxy):
    proxy.always(Fault(bytes_per_second=20_000, slice_bytes=1000))
    with connect(proxy) as client:
        began = time.monotonic()
        client.sendall(b"x" * 10_000)
        read(client, 10_000)
        assert time.monotonic() - began >= 0.5


def test_a_fin_passes_in_one_direction_alone(proxy, echo):
    with connect(proxy) as client:
        client.sendall(b"half")
        client.shutdown(socket.SHUT_WR)
        assert read(client, 10) == b"half"


def test_a_reset_at_connect(proxy):
    proxy.once(Fault(act="reset", phase="connect"))
    with pytest.raises(ConnectionResetError):
        client = connect(proxy)
        client.recv(1)
    with connect(proxy) as client:  # once is once
        client.sendall(b"x")
        assert read(client, 1) == b"x"


def test_refused_and_accepted_again(proxy):
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.accept()
    with connect(proxy) as client:
        client.sendall(b"x")
        assert read(client, 1) == b"x"


def test_moved_to_another_address_at_the_same_port(proxy):
    port = proxy.port
    proxy.move("127.0.0.9")
    assert proxy.port == port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with connect(proxy) as client:
        client.sendall(b"x")
        assert read(client, 1) == b"x"


def test_open_connections_are_dropped(proxy):
    with connect(proxy) as client:
        client.sendall(b"x")
        read(client, 1)
        proxy.drop()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_swallowed_fin(proxy, echo):
    proxy.always(Fault(swallow_fin=True))
    with connect(proxy, timeout=1) as client:
        client.sendall(b"x")
        read(client, 1)
        client.shutdown(socket.SHUT_WR)
        with pytest.raises(socket.timeout):
            client.recv(1)
    assert echo.ends == []


def test_deaf_after_a_number_of_bytes(proxy):
    proxy.always(Fault(act="deaf", phase="hello", after_bytes=100))
    with connect(proxy, timeout=1) as client:
        client.sendall(PAYLOAD[:200])
        assert read(client, 100) == PAYLOAD[:100]
        with pytest.raises(socket.timeout):
            client.recv(1)


def test_one_byte_is_corrupted(proxy):
    proxy.always(Fault(act="corrupt", phase="hello", after_bytes=150))
    with connect(proxy) as client:
        client.sendall(PAYLOAD[:200])
        got = read(client, 200)
        assert [i for i in range(200) if got[i] != PAYLOAD[i]] == [150]


# --- phases of TLS ------------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) == 5000:
            self.server.committed.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"a" * 1000)

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=web", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "crt"], check=True, stderr=subprocess.DEVNULL)
    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.committed = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    running = FaultProxy(server.server_address, seed=7)
    running.committed = server.committed
    running.context = ssl.create_default_context(cafile=tmp_path / "crt")
    yield running
    running.close()
    server.shutdown()
    server.server_close()


def ask(web, times):
    """`times` requests on one connection: how many answers came whole."""
    answers = 0
    try:
        with socket.create_connection((web.host, web.port), timeout=5) as plain, web.context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
            for _ in range(times):
                client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
                client.sendall(b"b" * 5000)
                head = b""
                while b"\r\n\r\n" not in head:
                    data = client.recv(1)
                    if not data:
                        return answers
                    head += data
                if len(read(client, 1000)) < 1000:
                    return answers
                answers += 1
    except OSError:
        pass
    return answers


@pytest.mark.parametrize("act", ["reset", "cut"])
@pytest.mark.parametrize("phase, exchange, after_bytes, committed, answers", [
    ("connect", 1, 0, 0, 0), ("hello", 1, 50, 0, 0), ("handshaken", 1, 0, 0, 0), ("request", 1, 10, 0, 0), ("request", 1, 3000, 0, 0), ("answer", 1, 0, 1, 0),
    ("answer", 1, 300, 1, 0), ("request", 3, 10, 2, 2), ("answer", 3, 0, 3, 2), ("answer", 3, 1100, 3, 2)])
def test_it_ends_where_it_was_told_to(web, act, phase, exchange, after_bytes, committed, answers):
    web.once(Fault(act=act, phase=phase, exchange=exchange, after_bytes=after_bytes))
    assert ask(web, 4) == answers
    assert len(web.committed) == committed
    assert web.happened == 1
    assert ask(web, 4) == 4, "and the network is good again"


def test_a_corrupt_byte_of_an_answer_is_noticed(web):
    web.once(Fault(act="corrupt", phase="answer", exchange=2, after_bytes=40))
    assert ask(web, 4) == 1
    assert len(web.committed) == 2


def test_as_a_program(echo):
    program = subprocess.Popen([sys.executable, os.path.join(HERE, "proxy.py"), "--upstream", "%s:%d" % echo.address, "--seed", "3"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        host, port = json.loads(program.stdout.readline())["listen"].split(":")

        def tell(command):
            program.stdin.write(json.dumps(command) + "\n")
            program.stdin.flush()
            return json.loads(program.stdout.readline())

        assert "error" in tell({"fault": {"act": "nonsense"}})
        tell({"fault": {"act": "reset", "phase": "connect"}})
        with pytest.raises(ConnectionResetError):
            socket.create_connection((host, int(port)), timeout=5).recv(1)
        assert tell({"transparent": True}) == {"connections": 1, "happened": 1}
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(b"x")
            assert read(client, 1) == b"x"
    finally:
        program.stdin.close()
        assert program.wait(10) == 0
