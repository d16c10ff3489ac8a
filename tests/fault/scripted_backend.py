"""A server that says what a test wants said, over real TLS: for answers that pganalytics-server never gives.

It takes every push, keeps the documents, and keeps what the collector says of its configuration. make_identity() leaves what
`pganalytics register` would have."""

import gzip
import http.server
import json
import os
import ssl
import subprocess
import threading
import uuid

from harness import zstd


def run_openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_certificate(folder, name, *extra):
    """A self-signed certificate and its key, P-256."""
    key, certificate = os.path.join(folder, f"{name}.key"), os.path.join(folder, f"{name}.pem")
    run_openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj", f"/CN={name}", *extra)
    os.chmod(key, 0o600)
    return certificate, key


class ScriptedBackend:
    def __init__(self, folder):
        self.folder = folder
        self.ca_file, key = make_certificate(folder, "backend", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:true")
        self.lock = threading.Lock()
        self.config, self.etag, self.version = b"", None, 0  # what is served; no body: 304
        self.away, self.away_at = False, None  # away_at: from the moment when the collector reports this state
        self.refuse_encoding = None
        self.documents, self.reports, self.pulls = [], [], 0
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                with backend.lock:
                    backend.pulls += 1
                    body, etag, away = backend.config, backend.etag, backend.away
                if away:
                    self.answer(503)
                elif not body or (etag and self.headers.get("If-None-Match") == etag):
                    self.answer(304)
                else:
                    self.answer(200, body, [("Content-Type", "application/json")] + ([("ETag", etag)] if etag else []))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if backend.away:
                    self.answer(503)
                elif self.path.endswith("/token"):
                    self.answer(200, b'{"token":"t","expires_at":"2099-01-01T00:00:00Z"}')
                elif self.path.endswith("/status"):
                    with backend.lock:
                        backend.reports.append(json.loads(body))
                        backend.away = backend.away or backend.reports[-1]["state"] == backend.away_at
                    self.answer(204)
                elif self.headers.get("Content-Encoding") == backend.refuse_encoding:
                    self.answer(400, b'{"error":{"code":"no","message":"not packed like this"}}')
                else:
                    self.push(body)

            def push(self, body):
                encoding = self.headers.get("Content-Encoding")
                if encoding == "zstd":
                    body = zstd.expand(body)
                elif encoding == "gzip":
                    body = gzip.decompress(body)
                documents = json.loads(body)["metrics"]
                with backend.lock:
                    backend.documents += documents
                    version = backend.version
                self.answer(200, json.dumps({"status": "success", "ack": self.headers["Idempotency-Key"], "metrics_count": len(documents), "duplicate": False,
                                             "rejected": [], "config_version": version}).encode())

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.ca_file, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, document, version=0, etag=None):
        """document: bytes as they are, or something to make JSON of."""
        with self.lock:
            self.config = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.etag, self.version = etag or f'"{version}"', version

    def make_identity(self, state_dir):
        identity = os.path.join(state_dir, "identity")
        os.makedirs(identity, mode=0o700, exist_ok=True)
        os.chmod(state_dir, 0o700)
        collector_id = str(uuid.uuid4())
        certificate, key = make_certificate(identity, "certificate", "-addext", f"subjectAltName=URI:pganalytics:collector:{collector_id}")
        os.rename(key, os.path.join(identity, "key.pem"))
        os.link(self.ca_file, os.path.join(identity, "ca.pem"))
        with open(os.path.join(identity, "identity.json"), "w") as file:
            json.dump({"collector_id": collector_id, "backend_url": self.url, "name": "db1"}, file)
        return collector_id
