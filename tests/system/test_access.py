"""Nobody gets in who does not belong, and what was refused is not stored."""

import base64
import json
import os
import ssl
import subprocess
import time

import pytest

DOCUMENT = {"type": "acme_test", "timestamp": "2026-01-02T03:04:05Z", "value": 1}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw_signature(der):
    """ECDSA signature from DER (RFC 3279) to the 64 bytes of JWS (RFC 7518, section 3.4)."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big"))
        at += 2 + length
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def sign(header, claims, key_file):
    signed = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key_file], input=signed.encode(), stdout=subprocess.PIPE, check=True).stdout
    return signed + "." + b64(raw_signature(der))


class Member:
    """An enrolled collector and its access token."""

    def __init__(self, server, collector):
        self.server = server
        self.id = collector.register()
        self.certificate = collector.certificate
        answer = server.request("POST", f"/api/v1/collectors/{self.id}/token", certificate=self.certificate)
        assert answer.status == 200, answer.text
        self.token = answer.json["token"]

    def push(self, token=None, certificate="own", body=None, **options):
        headers = {"Authorization": "Bearer " + (token or self.token)}
        return self.server.request("POST", "/api/v1/metrics/push", body or DOCUMENT, headers=headers,
                                   certificate=self.certificate if certificate == "own" else certificate, **options)

    def stored(self):
        return self.server.metrics(self.id)


@pytest.fixture
def member(server, make_collector):
    return Member(server, make_collector("", server=server, name="member"))


@pytest.fixture
def other(server, make_collector):
    return Member(server, make_collector("", server=server, name="other"))


def refused(answer, status=401):
    assert answer.status == status, answer.text
    assert answer.json["error"]["code"] and answer.json["error"]["message"]


def test_the_real_thing_is_let_in(member):
    assert member.push().status == 200
    assert len(member.stored()) == 1


def test_no_client_certificate(member):
    refused(member.push(certificate=None))
    refused(member.server.request("POST", f"/api/v1/collectors/{member.id}/token"))
    assert member.stored() == []


def test_certificate_of_another_ca(member, folder):
    key, cert = os.path.join(folder, "rogue.key"), os.path.join(folder, "rogue.crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=rogue",
                    "-addext", f"subjectAltName=URI:pganalytics:collector:{member.id}", "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    try:
        refused(member.push(certificate=(cert, key)))
    except (ssl.SSLError, ConnectionError):
        pass  # refused in the handshake is refused too
    assert member.stored() == []


def test_a_client_does_not_talk_to_a_server_of_another_ca(member, folder):
    other_ca = os.path.join(folder, "other-ca.crt")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=other CA",
                    "-keyout", os.path.join(folder, "other-ca.key"), "-out", other_ca], check=True, stderr=subprocess.DEVNULL)
    with pytest.raises(ssl.SSLCertVerificationError):
        member.push(ca_file=other_ca)


def test_tampered_tokens(member):
    header, claims, signature = member.token.split(".")
    changed = json.loads(unb64(claims))
    changed["exp"] += 3600
    flipped = bytearray(unb64(signature))
    flipped[10] ^= 1
    none = b64(json.dumps({**json.loads(unb64(header)), "alg": "none"}).encode())
    for token in [f"{header}.{b64(json.dumps(changed).encode())}.{signature}", f"{header}.{claims}.{b64(bytes(flipped))}", f"{none}.{claims}.",
                  f"{header}.{claims}.", f"{header}.{claims}", "", "garbage", "a.b.c", "x" * 5000]:
        refused(member.push(token=token or " "))
    assert member.stored() == []


def test_expired_token(member):
    header, claims, _ = member.token.split(".")
    claims = json.loads(unb64(claims))
    key = os.path.join(member.server.data_dir, "jwt.key")
    fresh = sign(json.loads(unb64(header)), {**claims, "iat": int(time.time()), "exp": int(time.time()) + 60}, key)
    assert member.push(token=fresh).status == 200, "the test signs as the server does"
    stale = sign(json.loads(unb64(header)), {**claims, "iat": int(time.time()) - 2000, "nbf": int(time.time()) - 2000, "exp": int(time.time()) - 1000}, key)
    refused(member.push(token=stale))
    assert len(member.stored()) == 1


def test_another_collectors_identity(member, other):
    refused(member.push(token=other.token))                       # token bound to another certificate
    refused(member.push(certificate=other.certificate))           # and the other way round
    envelope = {"collector_id": other.id, "hostname": "h", "version": "0", "epoch": "0" * 32, "seq": 1, "metrics": [DOCUMENT]}
    answer = member.server.request("POST", "/api/v1/metrics/push", envelope, certificate=member.certificate,
                                   headers={"Authorization": "Bearer " + member.token, "Idempotency-Key": "0" * 32 + ".1"})
    refused(answer, 403)
    refused(member.server.request("POST", f"/api/v1/collectors/{other.id}/token", certificate=member.certificate), 403)
    config = member.server.request("GET", f"/api/v1/config/{other.id}", certificate=member.certificate, headers={"Authorization": "Bearer " + member.token})
    assert config.status in (403, 404)
    assert member.stored() == [] and other.stored() == []


def test_collectors_do_not_read_and_readers_do_not_push(member):
    answer = member.server.request("GET", f"/api/v1/servers/{member.id}/metrics", certificate=member.certificate, headers={"Authorization": "Bearer " + member.token})
    refused(answer, 403)
    refused(member.server.request("GET", f"/api/v1/servers/{member.id}/metrics"))
    answer = member.server.request("POST", "/api/v1/metrics/push", DOCUMENT, role="admin")
    assert answer.status in (401, 403)
    assert member.server.request("PUT", f"/api/v1/config/{member.id}", {}, role="viewer").status == 403
    assert member.stored() == []


def test_a_revoked_collector_is_out_within_five_seconds(member):
    assert member.server.request("DELETE", f"/api/v1/collectors/{member.id}", role="admin").status in (200, 204)
    deadline = time.monotonic() + 5
    while member.push().status == 200:
        assert time.monotonic() < deadline, "still let in after 5 s"
    assert member.push().status in (401, 403)


def test_a_registration_token_works_once(server, make_collector):
    token = server.cli("token", "create", "--ttl", "10m")
    first = make_collector("", server=server, name="first").command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], input=token["token"])
    assert first.returncode == 0, first.stderr
    second = make_collector("", server=server, name="second").command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], input=token["token"])
    assert second.returncode != 0 and "HINT" in second.stderr
    assert len(server.get("/api/v1/collectors")["collectors"]) == 1


def test_a_wrong_pin_sends_nothing(server, make_collector):
    token = server.cli("token", "create", "--ttl", "10m")
    stranger = make_collector("", server=server, name="stranger")
    refused_pin = stranger.command("register", "--token-file", "-", "--ca-pin", "sha256:" + "0" * 64, input=token["token"])
    assert refused_pin.returncode != 0 and "pin" in refused_pin.stderr
    again = stranger.command("register", "--token-file", "-", "--ca-pin", token["ca_pin"], input=token["token"])
    assert again.returncode == 0, "the token was not used up: " + again.stderr
