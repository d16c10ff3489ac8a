"""A server on a database of its own, and everybody who may ask it something."""

import base64
import concurrent.futures
import datetime
import json
import os
import re
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.server import Server
from wire import Connection, request_bytes

# Suites that try the same thing hundreds of times from one address are not what these limits are for; those that test the limits set their own.
ROOMY = """[limits]
token_per_minute = 100000
enrol_per_minute = 100000
enrol_per_second_in_all = 100000
enrol_failures = 100000
auth_failures_per_minute = 100000
connections_per_address = 1000
connections_per_collector = 1000
read_per_second = 100000
read_burst = 100000
push_per_second = 100000
push_burst = 100000
handshake_timeout = "1m"
header_timeout = "1m"
"""

# What the server may take after any of this. With sanitizers everything carries red zones, and freed memory is kept for a while.
MOST_MIB = 400 * (4 if os.environ.get("PGANALYTICS_SANITIZE") else 1)

DOCUMENT = {"type": "acme_test", "timestamp": "2026-01-02T03:04:05Z", "value": 1}
NOBODY = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def csr_of(key, name="abuse"):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def pem_of(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


class Collector:
    def __init__(self, site, identity, certificate_pem, key, generation=""):
        self.site, self.id, self.token, self.key = site, identity["id"], identity["token"], key
        self.certificate = site.save(self.id + generation + ".crt", certificate_pem), site.save(self.id + generation + ".key", pem_of(key))

    @property
    def bearer(self):
        return ("Authorization", "Bearer " + self.token)

    def ask(self, method, target, headers=(), body=None, **options):
        """With certificate and token, unless they are among the options."""
        options.setdefault("certificate", self.certificate)
        return self.site.ask(method, target, [self.bearer, *headers], body, **options)

    def push(self, body=None, headers=(), **options):
        return self.ask("POST", "/api/v1/metrics/push", headers, DOCUMENT if body is None else body, **options)

    def renewed(self):
        """The same collector with the certificate that comes after this one, used for the first time."""
        key = new_key()
        answer = self.ask("POST", f"/api/v1/collectors/{self.id}/certificate", body={"csr": csr_of(key)})
        assert answer.status == 200, answer
        newer = Collector(self.site, {"id": self.id, "token": ""}, answer.json["cert"], key, ".newer")
        newer.token = self.site.secret(self.site.ask("POST", f"/api/v1/collectors/{self.id}/token", certificate=newer.certificate).json["token"])
        return newer

    def expired(self, days=1):
        """Its certificate as it would be so many days after its end: made with the CA's key, and known to the database in place of the real one."""
        with open(os.path.join(self.site.server.data_dir, "ca.crt"), "rb") as file:
            ca = x509.load_pem_x509_certificate(file.read())
        with open(os.path.join(self.site.server.data_dir, "ca.key"), "rb") as file:
            ca_key = serialization.load_pem_private_key(file.read(), None)
        until = datetime.datetime.utcnow() - datetime.timedelta(days=days)
        made = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.id)])).issuer_name(ca.subject)
                .public_key(self.key.public_key()).serial_number(x509.random_serial_number()).not_valid_before(until - datetime.timedelta(days=7))
                .not_valid_after(until)
                .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("pganalytics:collector:" + self.id)]), critical=False)
                .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False).sign(ca_key, hashes.SHA256()))
        thumbprint = base64.urlsafe_b64encode(made.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        self.site.sql(f"update pganalytics.certificates set thumbprint = '{thumbprint}', not_before = '{until}'::timestamp - interval '7 days', not_after = '{until}' "
                      f"where collector_id = '{self.id}'")
        return self.site.save(self.id + ".expired.crt", made.public_bytes(serialization.Encoding.PEM).decode()), self.certificate[1]

    def stored(self):
        return int(self.site.sql(f"select count(*) from pganalytics.documents where collector_id = '{self.id}'"))


class Site:
    def __init__(self, binaries, folder, postgres, config=ROOMY):
        self.folder, self.postgres = folder, postgres
        self.database = "abuse_" + uuid.uuid4().hex[:8]
        postgres.sql(f"create database {self.database}")
        self.server = Server(binaries, folder, f'log_level = "debug"\n[database]\nurl = "{postgres.conninfo(self.database)}"\n{config}')
        self.server.start()
        self.port, self.ca_file = self.server.port, self.server.ca_file
        self.secrets = []  # what must never be in the log

    # --- asking ---

    def connect(self, certificate=None, source=None, timeout=60):
        return Connection(self.port, self.ca_file, certificate, source, timeout)

    def ask(self, method, target, headers=(), body=None, certificate=None, source=None):
        with self.connect(certificate, source) as connection:
            connection.send(request_bytes(method, target, headers, body))
            return connection.answer(head=method == "HEAD")

    def raw(self, data, certificate=None):
        with self.connect(certificate) as connection:
            connection.send(data)
            return connection.answer()

    def with_key(self, role, method, target, headers=(), body=None):
        return self.ask(method, target, [("Authorization", "Bearer " + self.key(role)), *headers], body)

    # --- who there is ---

    def secret(self, text):
        self.secrets.append(text)
        return text

    def key(self, role):
        return self.secret(self.server.key(role))

    def save(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    def registration_token(self, uses=1, hostname="", ttl="10m"):
        arguments = ["token", "create", "--ttl", ttl, "--uses", str(uses)] + (["--hostname", hostname] if hostname else [])
        return self.secret(self.server.cli(*arguments)["token"])

    def enrol(self, name="db1", token=None):
        key = new_key()
        body = {"name": name, "hostname": name + ".example", "csr": csr_of(key)}
        answer = self.ask("POST", "/api/v1/collectors/register", [("X-Registration-Secret", token or self.registration_token())], body)
        assert answer.status == 201, answer
        self.secret(answer.json["token"])
        return Collector(self, answer.json, answer.json["cert"], key)

    def enrol_many(self, count):
        token = self.registration_token(uses=count)
        return [self.enrol(f"db{i}", token) for i in range(count)]

    # --- looking behind ---

    def sql(self, statement):
        return self.postgres.sql(statement, self.database)

    def count(self, table):
        return int(self.sql(f"select count(*) from pganalytics.{table}"))

    def counts(self):
        """Rows of what refused requests must leave alone."""
        tables = ("collectors", "documents", "batches", "configs", "registration_tokens", "api_keys")
        return self.sql("select " + ", ".join(f"(select count(*) from pganalytics.{table}) as {table}" for table in tables))

    def audit(self, action=None):
        rows = [json.loads(line) for line in self.sql("select row_to_json(a) from pganalytics.audit a order by id").splitlines()]
        return [row for row in rows if action in (None, row["action"])]

    def rss_mib(self):
        with open(f"/proc/{self.server.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) / 1024

    def check_health(self):
        """Alive, not grown, no fault of its own, no secret told."""
        assert self.server.process.poll() is None, self.server.log()[-3000:]
        assert self.ask("GET", "/api/v1/health").status == 200
        assert self.rss_mib() < MOST_MIB, self.rss_mib()
        log = self.server.log()
        assert " 500\n" not in log and "a request handler failed" not in log, [line for line in log.splitlines() if "500" in line][-5:]
        for secret in self.secrets:
            assert secret not in log
        for pattern in (r"pge_[A-Za-z2-7]{20}", r"pga_[A-Za-z2-7]{20}", r"BEGIN [A-Z ]*PRIVATE KEY", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ"):
            assert not re.search(pattern, log), pattern

    def close(self):
        self.server.close()


def in_parallel(count, work):
    """work(i) for each i on threads that start together; the results in order."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))
