"""Who is asking: credentials that are missing, malformed, forged, stolen or out of date. Each is 401 (or 400 where HTTP itself is abused), and nothing is stored."""

import datetime
import hashlib
import json
import os
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from site_of_abuse import DOCUMENT, new_key, pem_of
from tokens import Mint, b64, unb64


@pytest.fixture(scope="module")
def cast(site):
    """(site, own collector, another collector, mint)"""
    own, other = site.enrol("own"), site.enrol("other")
    return site, own, other, Mint(os.path.join(site.server.data_dir, "jwt.key"), own.token)


def jwk_of(key):
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}


def hmac_token(mint, secret, alg="HS256"):
    signed = b64(json.dumps({**mint.header, "alg": alg})) + "." + b64(json.dumps(mint.fresh()))
    code = hmac.HMAC(secret, hashes.SHA256())
    code.update(signed.encode())
    return signed + "." + b64(code.finalize())


def public_pem(mint):
    return mint.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def parts(own):
    return own.token.split(".")


ATTACKER = new_key()

# name: (mint, own, other) -> the token
TOKENS = {
    # the algorithm is the server's choice
    "alg none without signature": lambda m, o, x: b64(json.dumps({**m.header, "alg": "none"})) + "." + parts(o)[1] + ".",
    "alg none with the signature": lambda m, o, x: m.with_header(alg="none"),
    "alg None": lambda m, o, x: m.with_header(alg="None"),
    "alg NONE": lambda m, o, x: m.with_header(alg="NONE"),
    "alg nOnE stripped": lambda m, o, x: m.with_header(alg="nOnE").rpartition(".")[0] + ".",
    "alg HS256 with the public key": lambda m, o, x: hmac_token(m, public_pem(m)),
    "alg HS256 with the public key's DER": lambda m, o, x: hmac_token(m, m.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)),
    "alg HS256 with an empty secret": lambda m, o, x: hmac_token(m, b""),
    "alg HS384": lambda m, o, x: hmac_token(m, public_pem(m), "HS384"),
    "alg HS256 signed by the key": lambda m, o, x: m.with_header(alg="HS256"),
    "alg RS256": lambda m, o, x: m.with_header(alg="RS256"),
    "alg PS256": lambda m, o, x: m.with_header(alg="PS256"),
    "alg ES384": lambda m, o, x: m.with_header(alg="ES384"),
    "alg ES512": lambda m, o, x: m.with_header(alg="ES512"),
    "alg EdDSA": lambda m, o, x: m.with_header(alg="EdDSA"),
    "alg es256": lambda m, o, x: m.with_header(alg="es256"),
    "alg missing": lambda m, o, x: m.with_header(without=["alg"]),
    "alg null": lambda m, o, x: m.with_header(alg=None),
    "alg number": lambda m, o, x: m.with_header(alg=256),
    "alg list": lambda m, o, x: m.with_header(alg=["ES256"]),
    "alg twice": lambda m, o, x: m.sign('{"alg":"ES256","typ":"JWT","kid":"%s","alg":"none"}' % m.header["kid"], m.fresh()),
    # the key is the server's choice
    "kid missing": lambda m, o, x: m.with_header(without=["kid"]),
    "kid empty": lambda m, o, x: m.with_header(kid=""),
    "kid unknown": lambda m, o, x: m.with_header(kid="0123456789abcdef"),
    "kid a path": lambda m, o, x: m.with_header(kid="../../../../dev/null"),
    "kid SQL": lambda m, o, x: m.with_header(kid="x' or '1'='1"),
    "kid a URL": lambda m, o, x: m.with_header(kid="https://127.0.0.1/key"),
    "kid number": lambda m, o, x: m.with_header(kid=0),
    "an attacker's key": lambda m, o, x: m.with_header(key=ATTACKER),
    "an attacker's key as jwk": lambda m, o, x: m.with_header(key=ATTACKER, jwk=jwk_of(ATTACKER)),
    "jku": lambda m, o, x: m.with_header(key=ATTACKER, jku="https://127.0.0.1/jwks.json"),
    "jku beside a good signature": lambda m, o, x: m.with_header(jku="https://127.0.0.1/jwks.json"),
    "x5u": lambda m, o, x: m.with_header(x5u="https://127.0.0.1/x.pem"),
    "x5c": lambda m, o, x: m.with_header(x5c=["AAAA"]),
    "crit": lambda m, o, x: m.with_header(crit=["exp"]),
    "b64 false": lambda m, o, x: m.with_header(b64=False, crit=["b64"]),
    "zip": lambda m, o, x: m.with_header(zip="DEF"),
    "typ of another kind": lambda m, o, x: m.with_header(typ="logout+jwt"),
    "header a list": lambda m, o, x: m.sign("[]", m.fresh()),
    "header not JSON": lambda m, o, x: m.sign("alg: ES256", m.fresh()),
    # claims, well signed
    "iss another": lambda m, o, x: m.with_claims(iss="https://evil.example"),
    "iss missing": lambda m, o, x: m.with_claims(without=["iss"]),
    "aud another": lambda m, o, x: m.with_claims(aud="other"),
    "aud missing": lambda m, o, x: m.with_claims(without=["aud"]),
    "aud list of others": lambda m, o, x: m.with_claims(aud=["other", "another"]),
    "sub another collector": lambda m, o, x: m.with_claims(sub=x.id),
    "sub missing": lambda m, o, x: m.with_claims(without=["sub"]),
    "sub empty": lambda m, o, x: m.with_claims(sub=""),
    "sub number": lambda m, o, x: m.with_claims(sub=1),
    "sub SQL": lambda m, o, x: m.with_claims(sub="' or 1=1 --"),
    "exp past": lambda m, o, x: m.with_claims(iat=int(time.time()) - 2000, nbf=int(time.time()) - 2000, exp=int(time.time()) - 1000),
    "exp just past the leeway": lambda m, o, x: m.with_claims(exp=int(time.time()) - 40),
    "exp missing": lambda m, o, x: m.with_claims(without=["exp"]),
    "exp text": lambda m, o, x: m.with_claims(exp=str(int(time.time()) + 600)),
    "exp negative": lambda m, o, x: m.with_claims(exp=-1),
    "exp beyond 64 bits": lambda m, o, x: m.with_claims(exp=2**70),
    "exp true": lambda m, o, x: m.with_claims(exp=True),
    "exp twice": lambda m, o, x: m.sign(m.header, json.dumps(m.fresh())[:-1] + ',"exp":99999999999}'),
    "nbf future": lambda m, o, x: m.with_claims(nbf=int(time.time()) + 120),
    "nbf missing": lambda m, o, x: m.with_claims(without=["nbf"]),
    "cnf missing": lambda m, o, x: m.with_claims(without=["cnf"]),
    "cnf empty": lambda m, o, x: m.with_claims(cnf={}),
    "cnf of another certificate": lambda m, o, x: m.with_claims(cnf=json.loads(unb64(x.token.split(".")[1]))["cnf"]),
    "cnf text": lambda m, o, x: m.with_claims(cnf="x"),
    "cnf thumbprint empty": lambda m, o, x: m.with_claims(cnf={"x5t#S256": ""}),
    "cnf of another method": lambda m, o, x: m.with_claims(cnf={"jkt": m.claims["cnf"]["x5t#S256"]}),
    "claims a list": lambda m, o, x: m.sign(m.header, "[]"),
    "claims null": lambda m, o, x: m.sign(m.header, "null"),
    "claims empty": lambda m, o, x: m.sign(m.header, "{}"),
    "claims not UTF-8": lambda m, o, x: m.sign(m.header, b'{"iss":"\xff\xfe"}'),
    "claims deep": lambda m, o, x: m.sign(m.header, '{"a":' * 300 + "1" + "}" * 300),
    # form and signature
    "claims changed": lambda m, o, x: parts(o)[0] + "." + b64(json.dumps({**m.claims, "exp": m.claims["exp"] + 3600})) + "." + parts(o)[2],
    "signature of another token": lambda m, o, x: ".".join(parts(o)[:2]) + "." + x.token.split(".")[2],
    "signature empty": lambda m, o, x: ".".join(parts(o)[:2]) + ".",
    "signature missing": lambda m, o, x: ".".join(parts(o)[:2]),
    "signature zero": lambda m, o, x: ".".join(parts(o)[:2]) + "." + b64(bytes(64)),
    "signature short": lambda m, o, x: o.token[:-4],
    "signature long": lambda m, o, x: o.token + "AAAA",
    "signature DER": lambda m, o, x: ".".join(parts(o)[:2]) + "." + b64(m.key.sign(".".join(parts(o)[:2]).encode(), ec.ECDSA(hashes.SHA256()))),
    "signature SHA-384": lambda m, o, x: ".".join(parts(o)[:2]) + "." + b64(m.key.sign(b"x", ec.ECDSA(hashes.SHA384()))[:64]),
    "a bit of the signature": lambda m, o, x: ".".join(parts(o)[:2]) + "." + b64(bytes([unb64(parts(o)[2])[0] ^ 1]) + unb64(parts(o)[2])[1:]),
    "padding": lambda m, o, x: ".".join(part + "=" * (-len(part) % 4) for part in parts(o)),
    "loose base64": lambda m, o, x: parts(o)[0] + "." + parts(o)[1] + "\t" + "." + parts(o)[2],
    "standard alphabet": lambda m, o, x: m.with_claims(note="????>>>>~~~~").replace("_", "/").replace("-", "+"),
    "four parts": lambda m, o, x: o.token + ".AAAA",
    "five parts": lambda m, o, x: o.token + ".AAAA.AAAA",
    "two tokens": lambda m, o, x: o.token + " " + o.token,
    "a dot before": lambda m, o, x: "." + o.token,
    "three dots": lambda m, o, x: "..",
    "one word": lambda m, o, x: "token",
    "longer than 2 KiB": lambda m, o, x: m.with_claims(filler="x" * 3000),
    "seven thousand letters": lambda m, o, x: "A" * 7000,
    "not ASCII": lambda m, o, x: o.token[:20] + "\u00e4" + o.token[20:],
    "percent-encoded": lambda m, o, x: o.token.replace(".", "%2E"),
    # other secrets in its place
    "the collector's id": lambda m, o, x: o.id,
    "a registration token": lambda m, o, x: o.site.registration_token(),
}


@pytest.mark.parametrize("name", TOKENS)
def test_token(cast, name):
    site, own, other, mint = cast
    before = site.counts()
    answer = site.ask("POST", "/api/v1/metrics/push", [("Authorization", "Bearer " + TOKENS[name](mint, own, other))], DOCUMENT, own.certificate)
    assert answer.status == 401 and answer.code == "unauthorized", answer
    assert answer.headers["www-authenticate"] == "Bearer"
    if name != "a registration token":
        assert site.counts() == before


def test_the_mint_is_good(cast):
    """What the cases above change is all that is wrong with their tokens."""
    _, own, _, mint = cast
    for token in (own.token, mint.with_header(), mint.with_claims(), mint.with_claims(nbf=int(time.time()) + 20), mint.with_claims(exp=int(time.time()) - 20)):
        assert own.site.ask("GET", f"/api/v1/config/{own.id}", [("Authorization", "Bearer " + token)], certificate=own.certificate).status == 200


# name: (headers of (own, admin key), expected status)
HEADERS = {
    "none": (lambda o, k: [], 401),
    "empty": (lambda o, k: [("Authorization", "")], 401),
    "scheme only": (lambda o, k: [("Authorization", "Bearer")], 401),
    "scheme and blank": (lambda o, k: [("Authorization", "Bearer ")], 401),
    "Basic": (lambda o, k: [("Authorization", "Basic " + k)], 401),
    "Digest": (lambda o, k: [("Authorization", "Digest username=\"" + k + "\"")], 401),
    "Negotiate": (lambda o, k: [("Authorization", "Negotiate " + k)], 401),
    "no scheme": (lambda o, k: [("Authorization", k)], 401),
    "scheme run together": (lambda o, k: [("Authorization", "Bearer" + k)], 401),
    "scheme and tab": (lambda o, k: [("Authorization", "Bearer\t" + k)], 401),
    "lower-case scheme is the same": (lambda o, k: [("Authorization", "bearer " + k)], 200),
    "twice": (lambda o, k: [("Authorization", "Bearer " + k), ("Authorization", "Bearer " + k)], 400),
    "twice, another first": (lambda o, k: [("Authorization", "Bearer x"), ("authorization", "Bearer " + k)], 400),
    "list": (lambda o, k: [("Authorization", "Bearer x, Bearer " + k)], 401),
    "folded": (lambda o, k: [("Authorization", "Bearer\r\n " + k)], 400),
    "zero byte": (lambda o, k: [("Authorization", "Bearer \0" + k)], 400),
    "Proxy-Authorization": (lambda o, k: [("Proxy-Authorization", "Bearer " + k)], 401),
    "X-Api-Key": (lambda o, k: [("X-Api-Key", k)], 401),
    "Cookie": (lambda o, k: [("Cookie", "Authorization=Bearer " + k)], 401),
    "X-Registration-Secret": (lambda o, k: [("X-Registration-Secret", k)], 401),
    "key with a letter more": (lambda o, k: [("Authorization", "Bearer " + k + "a")], 401),
    "key with a letter less": (lambda o, k: [("Authorization", "Bearer " + k[:-1])], 401),
    "key in capitals": (lambda o, k: [("Authorization", "Bearer " + k.upper())], 401),
    "key with one letter changed": (lambda o, k: [("Authorization", "Bearer " + k[:10] + ("a" if k[10] != "a" else "b") + k[11:])], 401),
    "key's prefix": (lambda o, k: [("Authorization", "Bearer pga_")], 401),
    "key SQL": (lambda o, k: [("Authorization", "Bearer pga_' or '1'='1")], 401),
    "key's hash": (lambda o, k: [("Authorization", "Bearer pga_" + hashlib.sha256(k.encode()).hexdigest())], 401),
    "X-Forwarded-Client-Cert": (lambda o, k: [("X-Forwarded-Client-Cert", "Subject=admin"), ("X-SSL-Client-Verify", "SUCCESS")], 401),
    "X-Forwarded-User": (lambda o, k: [("X-Forwarded-User", "admin"), ("X-Remote-User", "admin")], 401),
    "X-HTTP-Method-Override": (lambda o, k: [("X-HTTP-Method-Override", "POST"), ("X-Original-URL", "/api/v1/health")], 401),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header(cast, name):
    site, own, _, _ = cast
    headers, status = HEADERS[name]
    assert site.ask("GET", "/api/v1/collectors", headers(own, site.key("admin"))).status == status


def forged_certificate(site, subject_id, days=1, ca=None):
    """(certificate, key) files of a certificate for `subject_id`, signed by itself or by a CA of our own making."""
    key = new_key()
    signer = ca or key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pgAnalytics CA")])
    now = datetime.datetime.utcnow()
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=2)).not_valid_after(now + datetime.timedelta(days=days))
                   .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("pganalytics:collector:" + subject_id)]), False)
                   .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), False).sign(signer, hashes.SHA256()))
    return (site.save("forged.crt", certificate.public_bytes(serialization.Encoding.PEM).decode()), site.save("forged.key", pem_of(key)))


# name: (site, own, other) -> certificate to use with own's token
CERTIFICATES = {
    "none": lambda s, o, x: None,
    "another collector's": lambda s, o, x: x.certificate,
    "self-signed with the right name": lambda s, o, x: forged_certificate(s, o.id),
    "of another CA with the right name": lambda s, o, x: forged_certificate(s, o.id, ca=new_key()),
}


@pytest.mark.parametrize("target", ["push", "config", "certificate"])
@pytest.mark.parametrize("name", CERTIFICATES)
def test_token_without_its_certificate(cast, name, target):
    site, own, other, _ = cast
    certificate = CERTIFICATES[name](site, own, other)
    method, path, body = {"push": ("POST", "/api/v1/metrics/push", DOCUMENT), "config": ("GET", f"/api/v1/config/{own.id}", None),
                          "certificate": ("POST", f"/api/v1/collectors/{own.id}/certificate", {"csr": "x"})}[target]
    assert site.ask(method, path, [own.bearer], body, certificate).status == 401
    assert own.stored() == other.stored() == 0
