"""Servers that no collector may trust: each takes one kind of connection and remembers what was sent to it in clear or under TLS."""

import os
import socket
import ssl
import threading


class BadServer:
    """`behave(connection, server)` is called on a thread for every connection; what a client says under TLS goes to `heard`."""

    def __init__(self, behave, host="127.0.0.1"):
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.behave = behave
        self.connections = 0
        self.heard = b""
        self.closing = False
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(20)
        try:
            self.behave(connection, self)
        except (OSError, ValueError):
            pass  # the client has had enough
        finally:
            connection.close()

    def close(self):
        self.closing = True
        self.listener.close()


ANSWER = b'{"error":{"code":"scripted","message":"the bad server was talked to"}}'
HTTP = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(ANSWER) + ANSWER


def speak_tls(files, lowest=ssl.TLSVersion.TLSv1_3, highest=ssl.TLSVersion.TLSv1_3, answer=HTTP, after_handshake=b""):
    """A server with this certificate that would answer any request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")  # what it offers is its own affair; what is taken is the client's
    context.minimum_version, context.maximum_version = lowest, highest
    context.load_cert_chain(*files)

    def behave(connection, server):
        with context.wrap_socket(connection, server_side=True) as secured:
            if after_handshake:
                with socket.socket(fileno=os.dup(secured.fileno())) as below:
                    below.sendall(after_handshake)
            request = b""
            while b"\r\n\r\n" not in request:
                data = secured.recv(4096)
                if not data:
                    return
                request += data
                server.heard += data
            secured.sendall(answer)

    return behave


def speak_raw(answer, drip_s=0.0, read=True, wait=True):
    """After the first bytes of the client, these bytes, one every drip_s seconds if that is given; then wait for more, or close."""
    def behave(connection, server):
        if read:
            server.heard += connection.recv(4096)
        if not drip_s:
            connection.sendall(answer)
        else:
            for byte in answer:
                if server.closing:
                    return
                connection.sendall(bytes([byte]))
                threading.Event().wait(drip_s)
        if wait:
            connection.recv(4096)

    return behave
