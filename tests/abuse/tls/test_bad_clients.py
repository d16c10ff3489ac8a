"""A server meets clients that it must not let in. Of each must hold: no token for a certificate that is none of ours, no answer where there is no
handshake, nothing that lasts; and a good collector is served at once afterwards, by the same process.

Every case comes from an address of its own (127.1.0.0/16), so that what one does is not held against another.
"""

import datetime
import http.client
import itertools
import os
import socket
import ssl
import subprocess
import time
import uuid

import pytest
from authority import CLIENT, COLLECTOR_URI, DAY, SERVER, ec, hashes, key_pem, load_root, make_root, pem, rsa_key
from bad_server import BadServer, speak_tls
from harness.collector import Collector
from harness.postgres import Postgres
from harness.server import Server

TLS = ssl.TLSVersion
HOUR = datetime.timedelta(hours=1)
HANDSHAKE_TIMEOUT_S = 2
ADDRESSES = (f"127.1.{high}.{low}" for high, low in itertools.product(range(256), range(1, 255)))


class Place:
    """A server on a PostgreSQL of its own, one collector that may come in, and the CA's key, with which anything can be forged."""

    def __init__(self, binaries, folder):
        self.folder = folder
        self.postgres = Postgres()
        self.postgres.sql("create database pganalytics")
        self.server = Server(binaries, folder, f'[database]\nurl = "{self.postgres.conninfo("pganalytics")}"\n[limits]\nhandshake_timeout = "{HANDSHAKE_TIMEOUT_S}s"\ntoken_per_minute = 100000\n')
        self.server.start()
        self.collector = Collector(binaries, folder, "", server=self.server)
        self.id = self.collector.register()
        self.root = load_root(self.server.data_dir)

    def close(self):
        self.server.close()
        self.postgres.close()

    def context(self, files=None, lowest=TLS.TLSv1_3, highest=TLS.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.server.ca_file)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = lowest, highest
        if files:
            context.load_cert_chain(*files)
        return context

    def plain(self):
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=15, source_address=(next(ADDRESSES), 0))

    def token(self, files=None, id=None, context=None, server_hostname="127.0.0.1"):
        """(status, body) of asking for an access token; (0, reason) where the connection ended without an answer."""
        try:
            with self.plain() as plain, (context or self.context(files)).wrap_socket(plain, server_hostname=server_hostname) as secured:
                secured.sendall(f"POST /api/v1/collectors/{id or self.id}/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                answer = http.client.HTTPResponse(secured)
                answer.begin()
                return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, repr(error)

    def still_serves(self):
        began = time.monotonic()
        status, body = self.token(self.collector.certificate)
        assert status == 200 and "token" in body, (status, body)
        assert time.monotonic() - began < 5
        assert self.server.process.poll() is None

    def forged(self, names=None, **options):
        options = {"purposes": CLIENT, **options}
        return self.root.issue(self.id, names=[f"URI:{COLLECTOR_URI}{self.id}"] if names is None else names, **options)


@pytest.fixture(scope="module")
def place(binaries, folder):
    made = Place(binaries, folder)
    yield made
    made.close()


# --- certificates ---------------------------------------------------------------------------------------------------------


def test_the_collectors_own_certificate(place):
    place.still_serves()


def test_the_forger_is_able(place):
    """What the cases below differ from: a certificate as the server makes them. Whether it knows this very one is another matter."""
    status, body = place.token(place.forged().write(place.folder, "able"))
    assert status in (200, 403), (status, body)


def own_uri(place):
    return [f"URI:{COLLECTOR_URI}{place.id}"]


CERTIFICATES = {  # what is shown, and the chain with it (None: the usual)
    "of_another_ca": lambda p: (make_root("other").issue(p.id, names=own_uri(p), purposes=CLIENT), None),
    "of_another_ca_that_comes_along": lambda p: (make_root("other").issue(p.id, names=own_uri(p), purposes=CLIENT), "all"),
    "of_another_ca_of_the_same_name": lambda p: (make_root("pgAnalytics CA").issue(p.id, names=own_uri(p), purposes=CLIENT), None),
    "of_its_twin_with_ours_along": lambda p: (make_root("pgAnalytics CA").issue(p.id, names=own_uri(p), purposes=CLIENT), "ours"),
    "self_signed": lambda p: (make_root(p.id, names=own_uri(p), purposes=CLIENT, ca=False), "all"),
    "self_signed_ca": lambda p: (make_root(p.id, names=own_uri(p)), "all"),
    "expired_an_hour_ago": lambda p: (p.forged(since=-9 * DAY, until=-HOUR), None),
    "expired_a_year_ago": lambda p: (p.forged(since=-400 * DAY, until=-365 * DAY), None),
    "not_yet_valid": lambda p: (p.forged(since=HOUR), None),
    "for_servers": lambda p: (p.forged(purposes=SERVER), None),
    "may_not_sign": lambda p: (p.forged(sign_usage=False), None),
    "without_names": lambda p: (p.forged(names=()), None),
    "id_as_common_name_and_dns_name": lambda p: (p.forged(names=[f"DNS:{p.id}"]), None),
    "uri_of_another_kind": lambda p: (p.forged(names=[f"URI:spiffe://collector/{p.id}"]), None),
    "uri_in_capitals": lambda p: (p.forged(names=[f"URI:PGANALYTICS:COLLECTOR:{p.id}"]), None),
    "uri_as_a_dns_name": lambda p: (p.forged(names=[f"DNS:{COLLECTOR_URI}{p.id}"]), None),
    "two_collectors_in_one": lambda p: (p.forged(names=[f"URI:{COLLECTOR_URI}{p.id}", f"URI:{COLLECTOR_URI}{uuid.uuid4()}"]), None),
    "two_collectors_in_one_ours_last": lambda p: (p.forged(names=[f"URI:{COLLECTOR_URI}{uuid.uuid4()}", f"URI:{COLLECTOR_URI}{p.id}"]), None),
    "id_with_more_behind": lambda p: (p.forged(names=[f"URI:{COLLECTOR_URI}{p.id}/x"]), None),
    "no_id_at_all": lambda p: (p.forged(names=[f"URI:{COLLECTOR_URI}"]), None),
    "of_somebody_unknown": lambda p: (p.forged(names=[f"URI:{COLLECTOR_URI}{uuid.uuid4()}"]), None),
    "unknown_critical_extension": lambda p: (p.forged(unknown_critical=True), None),
    "signed_with_sha1": lambda p: (p.forged(algorithm=hashes.SHA1()), None),
    "rsa_1024": lambda p: (p.forged(key=rsa_key(1024)), None),
    "issued_by_a_collector": lambda p: (p.forged().issue(p.id, names=own_uri(p), purposes=CLIENT), None),
    "below_a_ca_that_ours_may_not_make": lambda p: (p.root.issue("sub", names=(), ca=True).issue(p.id, names=own_uri(p), purposes=CLIENT), None),
}


OF_SOMEBODY_ELSE = ("of_somebody_unknown", "id_with_more_behind", "no_id_at_all")


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_is_none_of_ours(place, case):
    leaf, sent = CERTIFICATES[case](place)
    chain = {None: leaf.chain[:-1] or leaf.chain, "all": leaf.chain, "ours": [leaf.certificate, place.root.certificate]}[sent]
    status, body = place.token(leaf.write(place.folder, case, chain))
    # None of ours is as good as none; one of ours that names somebody else is not the collector's.
    assert status == (403 if case in OF_SOMEBODY_ELSE else 401), (status, body)
    assert '"token"' not in body
    place.still_serves()


@pytest.mark.parametrize("what", ["server", "ca"])
def test_the_servers_own_certificates_are_no_collectors(place, what):
    files = [os.path.join(place.server.data_dir, f"{what}.{end}") for end in ("crt", "key")]
    status, body = place.token(files)
    assert status == 401 and '"token"' not in body, (status, body)


def test_no_certificate(place):
    status, body = place.token()
    assert status == 401 and "certificate" in body


def test_a_certificate_with_the_key_of_another(place):
    """The handshake proves the key: a stolen certificate alone is worth nothing."""
    with open(place.collector.certificate[0]) as file:
        stolen = file.read()
    files = os.path.join(place.folder, "stolen.crt"), os.path.join(place.folder, "stolen.key")
    with open(files[0], "w") as file:
        file.write(stolen)
    with open(files[1], "wb") as file:
        file.write(key_pem(ec.generate_private_key(ec.SECP256R1())))
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{place.server.port}", "-tls1_3", "-cert", files[0], "-key", files[1], "-CAfile", place.server.ca_file],
                           input="", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20).stdout
    assert "mismatch" in shown  # OpenSSL itself refuses to try
    with pytest.raises(ssl.SSLError):
        place.context(files)


def test_somebody_elses_certificate(place, binaries):
    other = Collector(binaries, place.folder, "", server=place.server, name="other")
    other.register()
    status, body = place.token(other.certificate)
    assert status == 403 and '"token"' not in body


def test_a_revoked_collector_on_a_new_and_on_an_open_connection(place, binaries):
    revoked = Collector(binaries, place.folder, "", server=place.server, name="revoked")
    revoked.register()
    request = f"POST /api/v1/collectors/{revoked.id}/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode()

    def ask(secured):
        try:
            secured.sendall(request)
            answer = http.client.HTTPResponse(secured)
            answer.begin()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0  # closed: refused as well

    with place.plain() as plain, place.context(revoked.certificate).wrap_socket(plain, server_hostname="127.0.0.1") as secured:
        assert ask(secured) == 200
        assert place.server.request("DELETE", f"/api/v1/collectors/{revoked.id}", role="admin").status in (200, 204)
        deadline = time.monotonic() + 5
        while ask(secured) == 200:
            assert time.monotonic() < deadline, "the open connection still gets tokens 5 s after the revocation"
            time.sleep(0.5)
    assert place.token(revoked.certificate, revoked.id)[0] in (0, 401, 403)


# --- versions, groups, ALPN, names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [TLS.TLSv1, TLS.TLSv1_1, TLS.TLSv1_2], ids=lambda version: version.name)
def test_an_older_version(place, version):
    status, reason = place.token(context=place.context(place.collector.certificate, version, version))
    assert status == 0 and "protocol version" in reason.lower().replace("_", " "), reason


def s_client(place, *options, input="Q\n", timeout=20):
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{place.server.port}", "-CAfile", place.server.ca_file, "-bind", f"{next(ADDRESSES)}:0", *options],
                          input=input, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout).stdout


def test_the_right_to_fall_back_is_not_given(place):
    shown = s_client(place, "-tls1_2", "-fallback_scsv")
    assert "Cipher is (NONE)" in shown and "alert" in shown, shown


@pytest.mark.parametrize("groups, good", [("X25519", True), ("P-256", True), ("X448", False), ("P-521", False), ("ffdhe2048", False)])
def test_groups(place, groups, good):
    shown = s_client(place, "-tls1_3", "-groups", groups)
    assert ("Verify return code: 0" in shown and "TLSv1.3" in shown) == good, shown[-600:]
    place.still_serves()


@pytest.mark.parametrize("suite, good", [("TLS_AES_128_GCM_SHA256", True), ("TLS_AES_256_GCM_SHA384", True), ("TLS_CHACHA20_POLY1305_SHA256", True), ("TLS_AES_128_CCM_8_SHA256", False)])
def test_cipher_suites(place, suite, good):
    shown = s_client(place, "-tls1_3", "-ciphersuites", suite)
    assert (f"Cipher is {suite}" in shown) == good, shown[-600:]


@pytest.mark.parametrize("offered, chosen", [(["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), ([], None), (["h2"], "refused"), (["http/1.0"], "refused"),
                                             (["x" * 255], "refused"), (["HTTP/1.1"], "refused"), ([f"p{n}" for n in range(200)], "refused")],
                         ids=["http_1_1", "h2_first", "none", "h2_alone", "http_1_0", "longest", "capitals", "two_hundred"])
def test_alpn(place, offered, chosen):
    context = place.context(place.collector.certificate)
    if offered:
        context.set_alpn_protocols(offered)
    try:
        with place.plain() as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            assert secured.selected_alpn_protocol() == chosen
    except ssl.SSLError as error:
        assert chosen == "refused" and "application protocol" in str(error).lower().replace("_", " "), error
    place.still_serves()


@pytest.mark.parametrize("name", ["unknown.example", "x." * 120 + "example", "-", "*.example"])
def test_any_server_name_may_be_asked_for(place, name):
    context = place.context(place.collector.certificate)
    context.check_hostname = False
    status, _ = place.token(context=context, server_hostname=name)
    assert status in (0, 200)
    place.still_serves()


# --- sessions: nothing can be resumed, so nothing outlives a revocation -----------------------------------------------------


def test_no_ticket_is_given(place):
    path = os.path.join(place.folder, "session.pem")
    shown = s_client(place, "-tls1_3", "-sess_out", path, input="GET /api/v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert "TLSv1.3" in shown and "Post-Handshake New Session Ticket" not in shown
    assert not os.path.exists(path) or os.path.getsize(path) == 0


def foreign_session(place):
    """A session that another server gave: as near as a client can come to a ticket for ours."""
    path = os.path.join(place.folder, "foreign.pem")
    if not os.path.exists(path):
        root = make_root("tickets")
        server = BadServer(speak_tls(root.issue().write(place.folder, "tickets")))
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_3", "-sess_out", path, "-ign_eof"], input="GET / HTTP/1.1\r\n\r\n", text=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
        server.close()
    assert os.path.getsize(path) > 0
    return path


def test_a_foreign_ticket_is_not_resumed(place):
    shown = s_client(place, "-tls1_3", "-sess_in", foreign_session(place))
    assert "Reused, TLSv1.3" not in shown and "New, TLSv1.3" in shown, shown[-600:]
    place.still_serves()


def test_early_data_is_not_taken(place):
    early = os.path.join(place.folder, "early.txt")
    with open(early, "w") as file:
        file.write("GET /api/v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    shown = s_client(place, "-tls1_3", "-sess_in", foreign_session(place), "-early_data", early)
    assert "Early data was accepted" not in shown and "HTTP/1.1 200" not in shown, shown[-600:]
    place.still_serves()


def test_renegotiation_and_key_updates(place):
    """TLS 1.3 has no renegotiation; a client may update its keys, but not for ever."""
    shown = s_client(place, "-tls1_3", input="R\nQ\n")
    assert "RENEGOTIATING" not in shown or "wrong ssl version" in shown.lower() or "error" in shown.lower()
    s_client(place, "-tls1_3", input="K\n" * 200 + "Q\n")
    s_client(place, "-tls1_3", input="k\n" * 200 + "Q\n")
    place.still_serves()


# --- handshakes that are none -----------------------------------------------------------------------------------------------


def client_hello(place, **options):
    """The first flight of a real client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = place.context(place.collector.certificate, **options).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    try:
        talk.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def in_records(hello, size):
    """The same handshake message in many records."""
    message = hello[5:]
    return b"".join(b"\x16\x03\x01" + len(message[i : i + size]).to_bytes(2, "big") + message[i : i + size] for i in range(0, len(message), size))


HANDSHAKES = {
    "garbage": lambda hello: bytes(range(256)) * 4,
    "http_in_clear": lambda hello: b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n",
    "ssl_2": lambda hello: bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + bytes(30),
    "half_a_hello": lambda hello: hello[: len(hello) // 2],
    "a_byte": lambda hello: hello[:1],
    "a_record_longer_than_any": lambda hello: bytes.fromhex("160301ffff") + bytes(70_000),
    "empty_records": lambda hello: bytes.fromhex("1603010000") * 10_000,
    "alerts": lambda hello: bytes.fromhex("1503010002015a") * 10_000,
    "change_cipher_spec": lambda hello: hello + bytes.fromhex("140303000101") * 10_000,
    "data_before_the_handshake": lambda hello: bytes.fromhex("1703030100") + bytes(256),
    "data_instead_of_a_finished": lambda hello: hello + bytes.fromhex("1703030100") + bytes(256),
    "hello_twice": lambda hello: hello + hello,
    "hello_of_16_mib": lambda hello: bytes.fromhex("1603014000" + "01ffffff") + bytes(16380) + (bytes.fromhex("1603014000") + bytes(16384)) * 20,
    "no_extensions": lambda hello: bytes.fromhex("160301002d" + "01000029" + "0303" + "11" * 32 + "00" + "00021301" + "0100"),
    "no_cipher": lambda hello: bytes.fromhex("160301002b" + "01000027" + "0303" + "11" * 32 + "00" + "0000" + "0100"),
    "a_server_hello": lambda hello: bytes.fromhex("160303002c" + "02000028" + "0303" + "00" * 32 + "00" + "1301" + "00" + "0000"),
    "a_bit_of_the_hello_flipped": lambda hello: hello[:60] + bytes([hello[60] ^ 0xFF]) + hello[61:100] + bytes([hello[100] ^ 0xFF]) + hello[101:],
}


@pytest.mark.parametrize("end", ["closes", "waits"])
@pytest.mark.parametrize("case", HANDSHAKES)
def test_a_handshake_that_is_none(place, case, end):
    """Whether the client then closes or waits: the server answers with an alert or nothing, and lets go within the time for handshakes."""
    began = time.monotonic()
    with place.plain() as plain:
        got = b""
        try:
            plain.sendall(HANDSHAKES[case](client_hello(place)))
            if end == "closes":
                plain.shutdown(socket.SHUT_WR)
            while data := plain.recv(65536):
                got += data
        except OSError:  # it let go before we did
            pass
        assert b"HTTP/" not in got
    assert time.monotonic() - began < HANDSHAKE_TIMEOUT_S + 3
    place.still_serves()


def test_a_reset_in_the_middle_of_handshakes(place):
    hello = client_hello(place)
    for cut in range(0, len(hello), 40):
        with place.plain() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            plain.sendall(hello[:cut])
    place.still_serves()


class Sliced:
    """A handshake over MemoryBIOs whose bytes go out as `send` likes."""

    def __init__(self, place, send):
        self.place, self.send = place, send
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.talk = place.context(place.collector.certificate).wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")

    def step(self, plain, call):
        while True:
            try:
                result = call()
                self.send(plain, self.outgoing.read())
                return result
            except ssl.SSLWantReadError:
                self.send(plain, self.outgoing.read())
                data = plain.recv(65536)
                if not data:
                    raise ConnectionResetError("closed")
                self.incoming.write(data)

    def status(self):
        request = f"POST /api/v1/collectors/{self.place.id}/token HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        with self.place.plain() as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.step(plain, self.talk.do_handshake)
            self.step(plain, lambda: self.talk.write(request))
            return int(self.step(plain, lambda: self.talk.read(100)).split()[1])


def byte_by_byte(plain, data):
    for i in range(len(data)):
        plain.sendall(data[i : i + 1])


def test_a_good_handshake_byte_by_byte(place):
    assert Sliced(place, byte_by_byte).status() == 200


def test_a_good_hello_in_records_of_ten_bytes(place):
    first = []

    def send(plain, data):
        if data and not first:
            first.append(True)
            data = in_records(data, 10)
        plain.sendall(data)

    assert Sliced(place, send).status() == 200


def test_a_byte_of_the_finished_is_wrong(place):
    flights = []

    def send(plain, data):
        flights.append(len(data))
        plain.sendall(data if len(flights) == 1 or not data else data[:-1] + bytes([data[-1] ^ 1]))

    with pytest.raises((OSError, ssl.SSLError)):
        Sliced(place, send).status()
    place.still_serves()


def test_many_half_handshakes_at_once(place):
    hello = client_hello(place)
    waiting = []
    for _ in range(200):
        plain = place.plain()
        plain.sendall(hello[:100])
        waiting.append(plain)
    place.still_serves()
    for plain in waiting:
        plain.settimeout(HANDSHAKE_TIMEOUT_S + 5)
        try:
            assert plain.recv(1) == b""
        except ConnectionResetError:
            pass
        plain.close()
    place.still_serves()
