"""A collector meets servers that it must not talk to. Of each must hold: it says why, and not one byte of a request was sent.

Most cases are a registration, whose token is the most precious thing a collector ever sends: one command, one connection, the same HTTP
client as pushes use. What the delivery thread does with such a server is at the end.
"""

import datetime
import os
import ssl
import subprocess
import time
import uuid

import pytest
from authority import CLIENT, COLLECTOR_URI, DAY, SERVER, ec, hashes, key_pem, make_root, pem, pin_of, rsa_key
from bad_server import ANSWER, HTTP, BadServer, speak_raw, speak_tls
from harness.collector import Collector
from harness.wait import eventually

TLS = ssl.TLSVersion
ROOT = make_root("the root")
OTHER = make_root("another root")
TWIN = make_root("the root")  # the same name, another key
TOKEN = "pge_" + "a" * 40


class Client:
    def __init__(self, binaries, folder):
        self.binary, self.folder = os.path.join(binaries, "bin", "pganalytics"), folder
        self.ca_file = os.path.join(folder, "trusted.crt")
        with open(self.ca_file, "wb") as file:
            file.write(pem(ROOT.certificate))

    def register(self, url, pin=None, environment=None):
        """One registration: by the CA file, or by a pin alone."""
        own = os.path.join(self.folder, uuid.uuid4().hex)
        os.mkdir(own)
        config = os.path.join(own, "pganalytics.toml")
        with open(config, "w") as file:
            file.write(f'[collector]\nname = "db1"\nstate_dir = "{own}/state"\n[backend]\nurl = "{url}"\n' + ("" if pin else f'ca_file = "{self.ca_file}"\n'))
        return subprocess.run([self.binary, "register", "--token-file", "-", "--ca-pin", pin or pin_of(ROOT.certificate), "--config", config], input=TOKEN, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, env={**os.environ, **(environment or {})})


@pytest.fixture(scope="module")
def client(binaries, folder):
    return Client(binaries, folder)


@pytest.fixture
def serve(folder):
    """serve(behave) -> BadServer; serve.certificate(leaf, chain=...) is the common kind."""
    servers = []

    def start(behave):
        servers.append(BadServer(behave))
        return servers[-1]

    def with_certificate(leaf, chain=None, **options):
        return start(speak_tls(leaf.write(folder, uuid.uuid4().hex, chain), **options))

    start.certificate = with_certificate
    yield start
    for server in servers:
        server.close()


def talked(server, done):
    return b"POST" in server.heard and "503" in done.stderr


def refused(server, done, why=""):
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert server.connections > 0, "it did not even try: " + done.stderr
    assert TOKEN.encode() not in server.heard and b"POST" not in server.heard, "it talked to " + repr(server.heard[:80])
    assert done.stderr.startswith("pganalytics: ") and why.lower() in done.stderr.lower(), done.stderr
    assert len(done.stderr) < 2000, "a message, not a dump"


# --- what is good, so that the rest means something ------------------------------------------------------------------------

INTERMEDIATE = ROOT.issue("an intermediate", names=(), ca=True, path_length=0)
GOOD = {
    "leaf": ROOT.issue(),
    "by_localhost_name": ROOT.issue(names=("DNS:localhost",)),
    "intermediate_sent": INTERMEDIATE.issue(),
    "wildcard_of_one_label": ROOT.issue(names=("DNS:*.b.localhost",)),
    "one_of_many_names": ROOT.issue(names=[f"DNS:h{n}.example" for n in range(50)] + ["IP:127.0.0.1"]),
    "p384": ROOT.issue(key=ec.generate_private_key(ec.SECP384R1())),
    "rsa_3072": ROOT.issue(key=rsa_key(3072)),
}
HOSTS = {"by_localhost_name": "localhost", "wildcard_of_one_label": "a.b.localhost"}


@pytest.mark.parametrize("case", GOOD)
def test_a_good_certificate(client, serve, case):
    server = serve.certificate(GOOD[case])
    done = client.register(f"https://{HOSTS.get(case, '127.0.0.1')}:{server.port}")
    assert talked(server, done), done.stderr


# --- certificates ---------------------------------------------------------------------------------------------------------

HOUR = datetime.timedelta(hours=1)
NOT_A_CA = ROOT.issue("no CA at all", names=())
EXPIRED_INTERMEDIATE = ROOT.issue("an old intermediate", names=(), ca=True, since=-3 * DAY, until=-DAY)
SHORT_PATH = ROOT.issue("for leaves alone", names=(), ca=True, path_length=0).issue("one too many", names=(), ca=True)
WEAK_CA = ROOT.issue("weak", names=(), ca=True, key=rsa_key(1024))
INSIDE_10 = ROOT.issue("for net 10", names=(), ca=True, permitted=("NET:10.0.0.0/8",))
NOT_LOOPBACK = ROOT.issue("not for us", names=(), ca=True, excluded=("NET:127.0.0.0/8",))
FOR_EXAMPLE = ROOT.issue("for example", names=(), ca=True, permitted=("DNS:example",))

BAD = {  # leaf, chain that is sent (None: all but the root), host in the URL, what the message must say
    "expired": (ROOT.issue(since=-9 * DAY, until=-HOUR), None, "127.0.0.1", "expired"),
    "not_yet_valid": (ROOT.issue(since=HOUR), None, "127.0.0.1", "not yet valid"),
    "self_signed": (make_root("self", names=("IP:127.0.0.1",), purposes=SERVER, ca=False), "all", "127.0.0.1", "self"),
    "another_ca": (OTHER.issue(), None, "127.0.0.1", "issuer"),
    "another_ca_that_sends_itself": (OTHER.issue(), "all", "127.0.0.1", "self-signed certificate in"),
    "another_ca_of_the_same_name": (TWIN.issue(), None, "127.0.0.1", ""),
    "another_ca_of_the_same_name_that_sends_ours": (TWIN.issue(), "ours", "127.0.0.1", ""),
    "another_dns_name": (ROOT.issue(names=("DNS:db.example",)), None, "localhost", "localhost"),
    "another_address": (ROOT.issue(names=("IP:127.0.0.2",)), None, "127.0.0.1", "127.0.0.1"),
    "ipv6_for_ipv4": (ROOT.issue(names=("IP:::1",)), None, "127.0.0.1", "127.0.0.1"),
    "the_address_as_a_dns_name": (ROOT.issue(names=("DNS:127.0.0.1",)), None, "127.0.0.1", "127.0.0.1"),
    "a_name_for_an_address": (ROOT.issue(names=("DNS:localhost",)), None, "127.0.0.1", "127.0.0.1"),
    "the_name_as_a_uri": (ROOT.issue(names=("URI:https://localhost",)), None, "localhost", "localhost"),
    "common_name_beside_other_names": (ROOT.issue("localhost", names=("DNS:other.example",)), None, "localhost", "localhost"),
    "wildcard_for_two_labels": (ROOT.issue(names=("DNS:*.localhost",)), None, "a.b.localhost", "a.b.localhost"),
    "wildcard_for_the_bare_domain": (ROOT.issue(names=("DNS:*.localhost",)), None, "localhost", "localhost"),
    "wildcard_in_the_second_label": (ROOT.issue(names=("DNS:a.*.localhost",)), None, "a.b.localhost", "a.b.localhost"),
    "wildcard_alone": (ROOT.issue(names=("DNS:*",)), None, "localhost", "localhost"),
    "wildcard_for_an_address": (ROOT.issue(names=("DNS:*.0.0.1",)), None, "127.0.0.1", "127.0.0.1"),
    "for_clients": (ROOT.issue(purposes=CLIENT), None, "127.0.0.1", "purpose"),
    "a_collector_plays_server": (ROOT.issue("c", names=(f"URI:{COLLECTOR_URI}{uuid.uuid4()}",), purposes=CLIENT), None, "127.0.0.1", "purpose"),
    "may_not_sign": (ROOT.issue(sign_usage=False), None, "127.0.0.1", ""),
    "unknown_critical_extension": (ROOT.issue(unknown_critical=True), None, "127.0.0.1", "critical extension"),
    "intermediate_missing": (INTERMEDIATE.issue(), "leaf", "127.0.0.1", "issuer"),
    "intermediate_expired": (EXPIRED_INTERMEDIATE.issue(), None, "127.0.0.1", "expired"),
    "issued_by_a_leaf": (NOT_A_CA.issue(), None, "127.0.0.1", "CA certificate"),
    "path_too_long": (SHORT_PATH.issue(), None, "127.0.0.1", "path length"),
    "outside_of_permitted_addresses": (INSIDE_10.issue(), None, "127.0.0.1", "permitted subtree"),
    "inside_of_excluded_addresses": (NOT_LOOPBACK.issue(), None, "127.0.0.1", "excluded subtree"),
    "outside_of_permitted_names": (FOR_EXAMPLE.issue(names=("DNS:localhost",)), None, "localhost", "permitted subtree"),
    "signed_with_sha1": (ROOT.issue(algorithm=hashes.SHA1()), None, "127.0.0.1", "too weak"),
    "rsa_1024": (ROOT.issue(key=rsa_key(1024)), None, "127.0.0.1", "too weak"),
    "below_an_rsa_1024_ca": (WEAK_CA.issue(), None, "127.0.0.1", "too weak"),
}


def chain_of(leaf, what):
    return {None: leaf.chain[:-1] or leaf.chain, "all": leaf.chain, "leaf": [leaf.certificate], "ours": [leaf.certificate, ROOT.certificate]}[what]


@pytest.mark.parametrize("case", BAD)
def test_a_bad_certificate(client, serve, case):
    leaf, sent, host, why = BAD[case]
    server = serve.certificate(leaf, chain_of(leaf, sent))
    refused(server, client.register(f"https://{host}:{server.port}"), why)


# --- trust by pin alone -----------------------------------------------------------------------------------------------------

PIN = pin_of(ROOT.certificate)
PINNED = {  # leaf, chain, pin, host, talked to, message
    "ca_in_the_chain": (ROOT.issue(), ROOT.issue().issuers, PIN, "127.0.0.1", True, ""),
    "ca_not_in_the_chain": (ROOT.issue(), [], PIN, "127.0.0.1", False, "pin"),
    "pin_of_another_ca": (ROOT.issue(), [ROOT.certificate], pin_of(OTHER.certificate), "127.0.0.1", False, "pin"),
    "pinned_ca_beside_a_stranger": (OTHER.issue(), [ROOT.certificate], PIN, "127.0.0.1", False, ""),
    "pinned_ca_beside_its_twin": (TWIN.issue(), [TWIN.certificate, ROOT.certificate], PIN, "127.0.0.1", False, ""),
    "expired": (ROOT.issue(since=-9 * DAY, until=-HOUR), [ROOT.certificate], PIN, "127.0.0.1", False, "expired"),
    "another_name": (ROOT.issue(names=("DNS:db.example",)), [ROOT.certificate], PIN, "localhost", False, "localhost"),
    "for_clients": (ROOT.issue(purposes=CLIENT), [ROOT.certificate], PIN, "127.0.0.1", False, "purpose"),
}


@pytest.mark.parametrize("case", PINNED)
def test_trust_by_pin(client, serve, case):
    leaf, above, pin, host, good, why = PINNED[case]
    server = serve.certificate(leaf, [leaf.certificate, *above])
    done = client.register(f"https://{host}:{server.port}", pin=pin)
    if good:
        assert talked(server, done), done.stderr
    else:
        refused(server, done, why)


def test_the_pin_of_the_leaf_is_no_pin_of_a_ca(client, serve):
    leaf = make_root("self", names=("IP:127.0.0.1",), purposes=SERVER, ca=False)
    server = serve.certificate(leaf, [leaf.certificate])
    refused(server, client.register(f"https://127.0.0.1:{server.port}", pin=pin_of(leaf.certificate)))


# --- versions, handshakes that are none -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [TLS.TLSv1, TLS.TLSv1_1, TLS.TLSv1_2], ids=lambda version: version.name)
def test_an_older_version(client, serve, version):
    server = serve.certificate(ROOT.issue(), lowest=version, highest=version)
    refused(server, client.register(f"https://127.0.0.1:{server.port}"))


TLS12_HELLO = bytes.fromhex("160303002c" + "02000028" + "0303" + 32 * "00" + "00" + "c02f" + "00" + "0000")
RAW = {
    "garbage": speak_raw(bytes(range(256)) * 8),
    "http_in_clear": speak_raw(HTTP),
    "a_redirect_in_clear": speak_raw(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n"),
    "closed_at_once": speak_raw(b"", read=False, wait=False),
    "closed_after_the_hello": speak_raw(b"", wait=False),
    "half_a_server_hello": speak_raw(bytes.fromhex("160303007a0200007603")),
    "a_record_longer_than_any": speak_raw(bytes.fromhex("160303ffff") + bytes(70000)),
    "empty_records": speak_raw(bytes.fromhex("1603030000") * 5000),
    "alert_handshake_failure": speak_raw(bytes.fromhex("15030300020228")),
    "warnings_without_end": speak_raw(bytes.fromhex("1503030002015a") * 5000),
    "change_cipher_spec_without_end": speak_raw(bytes.fromhex("140303000101") * 5000),
    "application_data_before_the_handshake": speak_raw(bytes.fromhex("1703030010") + bytes(16)),
    "server_hello_of_tls_1_2": speak_raw(TLS12_HELLO),
    "ssl_2": speak_raw(bytes.fromhex("802e0400010002") + bytes(40)),
    "smtp": speak_raw(b"220 mail.example ESMTP\r\n"),
}


@pytest.mark.parametrize("case", RAW)
def test_a_handshake_that_is_none(client, serve, case):
    server = serve(RAW[case])
    began = time.monotonic()
    refused(server, client.register(f"https://127.0.0.1:{server.port}"))
    assert time.monotonic() - began < 40


def test_a_handshake_a_byte_at_a_time_ends_in_time(client, serve):
    server = serve(speak_raw(bytes.fromhex("1603037fff") + bytes(32767), drip_s=0.2))
    began = time.monotonic()
    refused(server, client.register(f"https://127.0.0.1:{server.port}"))
    assert time.monotonic() - began < 30


def test_garbage_after_the_handshake(client, serve):
    server = serve.certificate(ROOT.issue(), after_handshake=bytes(range(256)) * 4)
    done = client.register(f"https://127.0.0.1:{server.port}")
    assert done.returncode == 1 and done.stderr.startswith("pganalytics: ") and ANSWER.decode() not in done.stderr


def test_an_answer_cut_off_is_no_answer(client, serve):
    server = serve.certificate(ROOT.issue(), answer=HTTP[:-10])
    done = client.register(f"https://127.0.0.1:{server.port}")
    assert done.returncode == 1 and done.stderr.startswith("pganalytics: ") and "the bad server was talked to" not in done.stderr


# --- no way around it -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variables", ["ca", "proxy", "openssl"])
def test_the_environment_does_not_loosen_it(client, serve, folder, variables):
    server, elsewhere = serve.certificate(OTHER.issue()), serve(speak_raw(HTTP))
    bundle = os.path.join(folder, "other.crt")
    with open(bundle, "wb") as file:
        file.write(pem(OTHER.certificate))
    loose = os.path.join(folder, "openssl.cnf")
    with open(loose, "w") as file:
        file.write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\nVerifyMode = None\n")
    environment = {"ca": {"SSL_CERT_FILE": bundle, "CURL_CA_BUNDLE": bundle, "SSL_CERT_DIR": folder},
                   "proxy": {name: f"http://127.0.0.1:{elsewhere.port}" for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")},
                   "openssl": {"OPENSSL_CONF": loose}}[variables]
    refused(server, client.register(f"https://127.0.0.1:{server.port}", environment=environment))
    assert elsewhere.connections == 0, "the environment's proxy was used"


def test_a_redirect_is_not_followed(client, serve):
    other = serve(speak_raw(HTTP))
    server = serve.certificate(ROOT.issue(), answer=b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % other.port)
    done = client.register(f"https://127.0.0.1:{server.port}")
    assert done.returncode == 1 and "301" in done.stderr
    assert other.connections == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://user:secret@127.0.0.1:1", "ftp://127.0.0.1:1", "https://127.0.0.1:1/?a=b", "127.0.0.1:1"])
def test_an_address_that_is_no_https(client, url):
    done = client.register(url)
    assert done.returncode != 0 and "HINT" in done.stderr, done.stderr


def test_there_is_no_switch(client):
    help_text = subprocess.run([client.binary, "register", "--help"], stdout=subprocess.PIPE, text=True).stdout
    with open(client.binary, "rb") as program:
        content = program.read().lower()
    for word in ("insecure", "no-verify", "skip-verify", "tls_verify", "verify_tls", "danger"):
        assert word not in help_text.lower() and word.encode() not in content, word


# --- the delivery thread --------------------------------------------------------------------------------------------------


def test_delivery_does_not_talk_either_and_keeps_everything(binaries, folder, serve):
    """An identity as registration leaves it, and a server of another CA in the place of ours."""
    server = serve.certificate(OTHER.issue())
    collector = Collector(binaries, folder, '[plugins.sysstat]\ninterval = "1s"\n', name="delivers")
    identity = os.path.join(collector.state_dir, "identity")
    os.makedirs(identity, mode=0o700)
    os.chmod(collector.state_dir, 0o700)
    own = ROOT.issue("c", names=(f"URI:{COLLECTOR_URI}{uuid.uuid4()}",), purposes=CLIENT)
    url = f"https://127.0.0.1:{server.port}"
    for name, content, mode in (("key.pem", key_pem(own.key), 0o600), ("certificate.pem", pem(own.certificate), 0o644), ("ca.pem", pem(ROOT.certificate), 0o644),
                                ("identity.json", b'{"collector_id":"%s","backend_url":"%s","name":"db1"}' % (str(uuid.uuid4()).encode(), url.encode()), 0o644)):
        path = os.path.join(identity, name)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
    with open(collector.config, "a") as config:
        config.write(f'[backend]\nurl = "{url}"\n')
    collector.start()
    try:
        eventually(lambda: server.connections >= 2, 30, f"it tries, and tries again, see {collector.log_path}")
        assert collector.process.poll() is None
        assert server.heard == b"", "it talked"
        assert "issuer" in collector.log()
    finally:
        collector.close()
