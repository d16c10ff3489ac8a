"""HTTP over TLS as bytes: what no well-behaved library would send can be sent, and answers are read as strictly as they are meant."""

import json
import select
import socket
import ssl
import time


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The error's code; "" for an answer that is none."""
        try:
            return self.json["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return ""

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class Connection:
    def __init__(self, port, ca_file, certificate=None, source=None, timeout=20):
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if certificate:
            context.load_cert_chain(*certificate)
        plain = socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0) if source else None)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(f"the connection ended; unread: {self.buffer[:200]!r}")
        self.buffer += data

    def answer(self, head=False):
        """The next answer. ConnectionError if the connection ends without one."""
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        top, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            assert name.lower() not in headers, f"{name} twice in an answer"
            headers[name.lower()] = value
        size = 0 if head or int(status) in (100, 204, 304) else int(headers["content-length"])
        while len(self.buffer) < size:
            self._fill()
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return Answer(int(status), headers, body.decode())

    def ended(self, timeout=10):
        """Whether the server ends the connection within the time, without saying anything more."""
        deadline = time.monotonic() + timeout
        self.socket.settimeout(timeout)
        try:
            while time.monotonic() < deadline:
                data = self.socket.recv(65536)
                if not data:
                    return True
                self.buffer += data
        except socket.timeout:
            return False
        except (ConnectionError, ssl.SSLError):
            return True
        finally:
            self.socket.settimeout(20)
        return False

    def readable(self, timeout):
        return bool(self.buffer) or self.socket.pending() > 0 or bool(select.select([self.socket], [], [], timeout)[0])


def request_bytes(method, target, headers=(), body=None):
    """A request as it would be written by hand. `headers`: (name, value) pairs, sent as they are; a body gets its Content-Length and type unless they
    are among them."""
    fields = [("Host", "test")] + list(headers)
    names = {name.lower() for name, _ in fields}
    if body is not None:
        body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        if "content-type" not in names:
            fields.append(("Content-Type", "application/json"))
        if "content-length" not in names and "transfer-encoding" not in names:
            fields.append(("Content-Length", str(len(body))))

    def as_bytes(text):
        return text if isinstance(text, bytes) else text.encode()

    lines = [as_bytes(method) + b" " + as_bytes(target) + b" HTTP/1.1"] + [as_bytes(name) + b": " + as_bytes(value) for name, value in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")
