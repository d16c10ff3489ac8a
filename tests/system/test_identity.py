"""Secrets are replaced while collectors push, nobody notices; and none of them is in a log."""

import base64
import datetime
import glob
import ipaddress
import json
import os
import re
import signal
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.oracle import check_no_holes, check_nothing_twice
from harness.server import Server
from harness.wait import eventually

PLUGIN = '[plugins.test_serial]\ninterval = "100ms"\n'
PULL = 'config_pull_interval = "1s"\n'
SETTINGS = '[enrolment]\ncertificate_life = "1m"\n[limits]\ntoken_per_minute = 1000\n'


@pytest.fixture
def server(binaries, folder):
    running = Server(binaries, folder, SETTINGS)
    running.start()
    yield running
    running.close()


def collector_of(server, make_collector):
    """It trusts by its identity, not by a file, so it follows the CA."""
    collector = make_collector(PLUGIN, server=server, collector_config=PULL)
    text = open(collector.config).read()
    with open(collector.config, "w") as config:
        config.write(re.sub(r"ca_file = .*\n", "", text))
    collector.register()
    collector.start()
    pushes_go_on(server, collector)
    return collector


def count(server, collector):
    row = next(row for row in server.get("/api/v1/collectors")["collectors"] if row["id"] == collector.id)
    return row["batches"]


def pushes_go_on(server, collector, more=5, timeout=60):
    before = count(server, collector)
    eventually(lambda: count(server, collector) >= before + more, timeout, "more pushes")


def no_push_failed(server, collector):
    collector.stop()
    trouble = [line for line in collector.log().splitlines() if re.search(r"(push|certificate renewal|config pull): https.* is (away|not welcome|refus)", line)]
    assert not trouble, trouble[:5]
    rows = server.metrics(collector.id)
    check_nothing_twice(rows)
    check_no_holes(rows)


def detail(server, collector):
    return server.get(f"/api/v1/collectors/{collector.id}")


def test_rotating_the_signing_key_costs_no_push(server, make_collector):
    collector = collector_of(server, make_collector)
    first = server.cli("key", "rotate-signing")["kid"]
    pushes_go_on(server, collector, 10)
    assert server.cli("key", "rotate-signing", "--drop-previous")["kid"] != first
    pushes_go_on(server, collector, 10)
    no_push_failed(server, collector)


def test_certificates_are_renewed_under_load_and_the_old_one_ends(server, make_collector):
    collector = collector_of(server, make_collector)
    seen = set()

    def renewed():
        with open(collector.certificate[0]) as certificate:
            seen.add(certificate.read())
        return len(seen) >= 4

    eventually(renewed, 90, "three renewals", every=0.2)
    pushes_go_on(server, collector)
    assert detail(server, collector)["key_origin"] == "collector" and detail(server, collector)["late_renewals"] == 0
    no_push_failed(server, collector)


def end_of(certificate):
    shown = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", certificate], check=True, stdout=subprocess.PIPE, text=True).stdout
    return ssl.cert_time_to_seconds(shown.strip().partition("=")[2])


def test_a_collector_that_was_off_beyond_its_certificates_end_comes_back_by_itself(server, make_collector):
    collector = collector_of(server, make_collector)
    collector.stop()
    end = end_of(collector.certificate[0])
    eventually(lambda: time.time() > end + 1, 90, "its certificate is over", every=0.5)
    assert server.request("POST", f"/api/v1/collectors/{collector.id}/token", certificate=collector.certificate).status == 401
    collector.start()
    eventually(lambda: detail(server, collector)["late_renewals"] == 1, 60, "a late renewal, counted")
    assert end_of(collector.certificate[0]) > end
    pushes_go_on(server, collector)
    collector.stop()
    rows = server.metrics(collector.id)
    check_nothing_twice(rows)
    check_no_holes(rows)


def test_a_restored_identity_is_told_that_it_was_replaced(server, make_collector):
    collector = collector_of(server, make_collector)
    identity = os.path.join(collector.state_dir, "identity")
    subprocess.run(["cp", "-a", identity, identity + ".backup"], check=True)
    before = open(collector.certificate[0]).read()
    eventually(lambda: open(collector.certificate[0]).read() != before, 60, "a renewal")
    pushes_go_on(server, collector)
    collector.stop()
    old = (os.path.join(identity + ".backup", "certificate.pem"), os.path.join(identity + ".backup", "key.pem"))
    answer = server.request("POST", f"/api/v1/collectors/{collector.id}/token", certificate=old)
    # Its certificate may be over by now, too: a minute is short.
    assert answer.status == 401 or (answer.status == 403 and answer.json["error"]["code"] == "certificate_superseded")
    late = server.request("POST", f"/api/v1/collectors/{collector.id}/certificate", body={"csr": "none"}, certificate=old)
    assert late.status in (401, 403)


def test_the_ca_is_replaced_without_a_failed_push(server, make_collector):
    collector = collector_of(server, make_collector)
    old_pin = server.cli("token", "create")["ca_pin"]
    assert server.cli("ca", "show")["phase"] == "steady"
    assert server.cli("ca", "rotate")["phase"] == "announced"
    eventually(lambda: server.cli("ca", "show")["waiting_for"] == [], 60, "the collector trusts the next CA", every=1)
    pushes_go_on(server, collector)
    assert server.cli("ca", "promote")["phase"] == "moved"
    eventually(lambda: server.log().count("TLS: new connections") >= 2, 30, "the server shows its new certificate")
    new_pin = server.cli("token", "create")["ca_pin"]
    assert new_pin != old_pin
    pushes_go_on(server, collector, 20)
    eventually(lambda: server.cli("ca", "show")["waiting_for"] == [], 90, "the collector has a certificate of the new CA", every=1)
    assert server.cli("ca", "retire")["phase"] == "steady"
    pushes_go_on(server, collector, 20)
    late = make_collector(PLUGIN, server=server, name="db2")
    late.register()  # with the new pin
    no_push_failed(server, collector)


def test_the_operators_certificate_is_read_again_on_sighup(binaries, folder, make_collector):
    """A bad one leaves the old one in use; a good one comes with the next connection, and open ones go on."""
    certificate, key, ca = (os.path.join(folder, name) for name in ("op.crt", "op.key", "op-ca.crt"))

    def make(days, name):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", str(days),
                "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        os.chmod(key, 0o600)
        if os.geteuid() == 0:
            subprocess.run(["chown", "postgres", key], check=True)

    make(90, "first")
    subprocess.run(["cp", certificate, ca], check=True)
    server = Server(binaries, folder, SETTINGS + f'[tls]\ncert_file = "{certificate}"\nkey_file = "{key}"\n')
    server.ca_file = ca
    server.start()
    try:
        assert server.get("/api/v1/health/details")["certificate"] == "ok"
        with open(key, "w") as bad:
            bad.write("garbage")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "the certificate that is in use stays" in server.log() and "HINT" in server.log(), 30, "the bad key is told")
        assert server.request("GET", "/api/v1/health").status == 200
        make(10, "second")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "ends in 9 days" in server.log(), 30, "the new one is in use, and near its end")
        server.ca_file = certificate
        assert server.get("/api/v1/health/details")["certificate"] == "expires soon"
    finally:
        server.close()


def test_a_retired_ca_is_retired_beside_an_operators_certificate_that_is_over(binaries, folder):
    certificate, key = (os.path.join(folder, name) for name in ("op.crt", "op.key"))
    over = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=20)
    private, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "brief")])
    brief = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key()).serial_number(1)
             .not_valid_before(over - datetime.timedelta(days=1)).not_valid_after(over)
             .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False).sign(private, hashes.SHA256()))
    with open(certificate, "wb") as file:
        file.write(brief.public_bytes(serialization.Encoding.PEM))
    with open(key, "wb") as file:
        file.write(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    os.chmod(key, 0o600)
    if os.geteuid() == 0:
        subprocess.run(["chown", "postgres", key], check=True)
    server = Server(binaries, folder, SETTINGS + f'[tls]\ncert_file = "{certificate}"\nkey_file = "{key}"\n')
    server.ca_file = certificate
    server.start()
    try:
        eventually(lambda: datetime.datetime.now(datetime.timezone.utc) > over, 30, "the certificate is over", every=0.5)
        server.cli("ca", "rotate")
        server.cli("ca", "promote", "--force")
        server.cli("ca", "retire", "--force")
        eventually(lambda: "TLS: new connections get" in server.log(), 30, "what TLS trusts is read again")
    finally:
        server.close()


def test_tokens_and_keys_are_revoked_by_id(server, make_collector):
    token = server.cli("token", "create", "--uses", "3")
    assert [row["state"] for row in server.cli("token", "list")["tokens"]] == ["open"]
    server.cli("token", "revoke", token["id"])
    assert [row["state"] for row in server.cli("token", "list")["tokens"]] == ["revoked"]
    collector = make_collector(PLUGIN, server=server)
    done = collector.command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], input=token["token"])
    assert done.returncode != 0 and "HINT" in done.stderr
    key = server.cli("key", "create", "--role", "viewer", "--label", "dashboards")
    ask = lambda: server.request("GET", "/api/v1/collectors", headers={"Authorization": "Bearer " + key["key"]}).status
    assert ask() == 200
    server.cli("key", "revoke", key["id"])
    assert ask() == 401
    listed = next(row for row in server.cli("key", "list")["keys"] if row["id"] == key["id"])
    assert listed["label"] == "dashboards" and listed["revoked"] and "key" not in listed


def test_no_secret_is_in_a_log(binaries, folder, make_collector):
    server = Server(binaries, folder, SETTINGS)
    text = open(server.config).read().replace("[server]\n", '[server]\nlog_level = "debug"\n', 1)
    with open(server.config, "w") as config:
        config.write(text)
    server.start()
    try:
        secrets = [server.key(role) for role in ("viewer", "operator", "admin")]
        collector = make_collector(PLUGIN, server=server, collector_config=PULL + 'log_level = "debug"\n')
        token = server.cli("token", "create", "--uses", "2")
        secrets.append(token["token"])
        done = collector.command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], "--json", input=token["token"])
        assert done.returncode == 0, done.stderr
        collector.id = json.loads(done.stdout)["id"]
        simple = server.request("POST", "/api/v1/collectors/register", body={"name": "s", "hostname": "s"}, headers={"X-Registration-Secret": token["token"]}).json
        secrets += [simple["token"], simple["token"].split(".")[2]]
        secrets += [line for line in simple["key"].splitlines() if "-----" not in line]
        for wrong in ("pge_" + "a" * 38, "pga_" + "b" * 38):
            secrets.append(wrong)
            server.request("GET", "/api/v1/collectors", headers={"Authorization": "Bearer " + wrong})
            server.request("POST", "/api/v1/collectors/register", body={"name": "s", "hostname": "s"}, headers={"X-Registration-Secret": wrong})
        collector.start()
        before = open(collector.certificate[1]).read()
        secrets += [line for line in before.splitlines() if "-----" not in line]
        eventually(lambda: open(collector.certificate[1]).read() != before, 60, "a renewal")
        server.cli("key", "rotate-signing")
        pushes_go_on(server, collector)
        collector.stop()
        for path in glob.glob(os.path.join(server.data_dir, "*.key")) + [collector.certificate[1]]:
            secrets += [line for line in open(path).read().splitlines() if "-----" not in line]
    finally:
        server.close()
    logs = {path: open(path, errors="replace").read() for path in (server.log_path, collector.log_path)}
    jwt_header = base64.urlsafe_b64encode(b'{"').decode().rstrip("=")[:3]
    for path, text in logs.items():
        assert "INFO" in text
        for secret in secrets:
            assert secret not in text, f"{path} has {secret[:8]}..."
        assert not re.search(jwt_header + r"[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}", text), f"an access token in {path}"
        assert "PRIVATE KEY" not in text
