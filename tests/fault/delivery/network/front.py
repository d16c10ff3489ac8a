"""A front that stands before a real server and answers in its stead whenever a script says so.

It ends the collector's TLS with the server's own certificate and goes on to the server with the collector's identity, so that whatever it does
not touch is the real thing: tokens, configuration, storing once. What a push was really answered and what the collector was told are two things
here, which is what a bad proxy, a portal, or a crash between commit and answer make of it.

A script is a function (Request) -> Do, or None to let it pass. Not here: faults below HTTP (proxy.py).
"""

import hashlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field

REASONS = http.client.responses
GOOD = (200, 201, 204, 304)


@dataclass(frozen=True)
class Do:
    """What happens to one request. The default lets it pass."""

    status: int = 0            # 0: what the server said, if it was asked
    body: bytes = b""
    headers: tuple = ()        # ("Name: value", ...)
    forward: bool = False      # the server gets it first, and whatever it says is thrown away
    raw: object = None         # bytes, or a function (send) -> None that writes what it likes; the connection ends then
    stall_s: float = 0.0       # before anything is said
    edit: object = None        # a function (status, body) -> (status, body) over the server's own answer


def problem(status, code="scripted", message="the front says so", headers=(), **members):
    return Do(status, json.dumps({"error": {"code": code, "message": message, **members}}).encode(), ("Content-Type: application/json", *headers))


@dataclass
class Request:
    kind: str                  # push, token, config, status, certificate, ca, other
    method: str
    target: str
    headers: dict
    body: bytes
    number: int = 0            # of its kind: 1, 2, 3 ...

    @property
    def key(self):
        return self.headers.get("idempotency-key", "")


@dataclass
class Attempt:
    """What became of a request."""

    at: float                  # time.monotonic()
    kind: str
    key: str
    digest: str
    size: int
    told: int                  # the status that the collector saw; 0: none
    stored: bool               # the server was asked and took it
    headers: dict = field(default_factory=dict)


def kind_of(method, target):
    path = target.split("?")[0]
    for end, kind in (("/metrics/push", "push"), ("/token", "token"), ("/certificate", "certificate"), ("/status", "status"), ("/api/v1/ca", "ca")):
        if path.endswith(end):
            return kind
    return "config" if "/api/v1/config/" in path and method == "GET" else "other"


class Front:
    def __init__(self, server, collector, script=None):
        self.server, self.collector, self.script = server, collector, script
        self.attempts, self.counts = [], {}
        self.trouble = []  # of the front itself: a test that has any proves nothing
        self._lock = threading.Lock()
        self._open = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._context.num_tickets = 0
        self._context.load_cert_chain(os.path.join(server.data_dir, "server.crt"), os.path.join(server.data_dir, "server.key"))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def of(self, kind="push", key=None):
        """The attempts of a kind so far, of one key if that is given."""
        with self._lock:
            return [attempt for attempt in self.attempts if attempt.kind == kind and key in (None, attempt.key)]

    # --- connections, each a thread --------------------------------------------------------------------------------------

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain):
        plain.settimeout(120)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upstream = Upstream(self.server, self.collector)
        with self._lock:
            self._open.add(plain)
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                reader = connection.makefile("rb")
                while (request := self._read(reader)) is not None:
                    if not self._answer(connection, request, upstream):
                        return
        except (OSError, ValueError):
            pass  # the collector has gone, or the test
        finally:
            upstream.close()
            with self._lock:
                self._open.discard(plain)

    def _read(self, reader):
        line = reader.readline(8192).split()
        if len(line) != 3:
            return None
        headers = {}
        while (header := reader.readline(16384)) not in (b"\r\n", b""):
            name, _, value = header.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        body = reader.read(int(headers.get("content-length", "0")))
        method, target = line[0].decode(), line[1].decode()
        request = Request(kind_of(method, target), method, target, headers, body)
        with self._lock:
            request.number = self.counts[request.kind] = self.counts.get(request.kind, 0) + 1
        return request

    def _answer(self, connection, request, upstream):
        """False: this connection is over."""
        do = (self.script(request) if self.script else None) or Do()
        status, headers, body, stored = do.status, list(do.headers), do.body, False
        if do.forward or (not do.status and do.raw is None):
            real, real_headers, real_body = upstream.ask(request)
            stored = real in GOOD
            if do.edit:
                real, real_body = do.edit(real, real_body)
            if not do.status and do.raw is None:
                status, headers, body = real, real_headers, real_body
        with self._lock:
            self.attempts.append(Attempt(time.monotonic(), request.kind, request.key, hashlib.sha256(request.body).hexdigest(), len(request.body),
                                         status if do.raw is None else 0, stored, request.headers))
        if do.stall_s:
            time.sleep(do.stall_s)
        if do.raw is not None:
            do.raw(connection.sendall) if callable(do.raw) else connection.sendall(do.raw)
            return False
        has_body = status not in (204, 304)
        head = [f"HTTP/1.1 {status} {REASONS.get(status, 'Odd')}", *headers]
        if has_body:
            head.append(f"Content-Length: {len(body)}")
        connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + (body if has_body else b""))
        return True


class Upstream:
    """The way on to the real server, one connection, opened when it is needed; 502 while there is none."""

    PASSED = ("content-type", "date", "etag", "retry-after", "cache-control")

    def __init__(self, server, collector):
        self.server, self.collector, self.connection = server, collector, None

    def ask(self, request):
        for fresh in (False, True):
            try:
                if self.connection is None:
                    self.connection, fresh = self._connect(), True
                self.connection.request(request.method, request.target, request.body,
                                        {name: value for name, value in request.headers.items() if name not in ("host", "content-length", "connection")})
                answer = self.connection.getresponse()
                body = answer.read()
                headers = [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() in self.PASSED]
                if answer.will_close:
                    self.close()
                return answer.status, headers, body
            except (OSError, http.client.HTTPException):
                self.close()
                if fresh:
                    break
        return 502, [], b""

    def _connect(self):
        context = ssl.create_default_context(cafile=self.server.ca_file)
        context.load_cert_chain(*self.collector.certificate)
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, context=context, timeout=60)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
