"""Access tokens made by hand: well signed and wrong, badly signed and right."""

import base64
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def load_key(path):
    with open(path, "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def raw_signature(key, signed):
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def text_of(part):
    return part if isinstance(part, (str, bytes)) else json.dumps(part)


class Mint:
    """Signs with the server's own key what the server would not."""

    def __init__(self, key_file, sample):
        self.key = load_key(key_file)
        header, claims, _ = sample.split(".")
        self.header, self.claims = json.loads(unb64(header)), json.loads(unb64(claims))

    def sign(self, header, claims, key=None):
        signed = b64(text_of(header)) + "." + b64(text_of(claims))
        return signed + "." + b64(raw_signature(key or self.key, signed.encode()))

    def with_header(self, without=(), key=None, **changes):
        header = {name: value for name, value in {**self.header, **changes}.items() if name not in without}
        return self.sign(header, self.fresh(), key)

    def with_claims(self, without=(), **changes):
        return self.sign(self.header, {name: value for name, value in {**self.fresh(), **changes}.items() if name not in without})

    def fresh(self):
        now = int(time.time())
        return {**self.claims, "iat": now, "nbf": now, "exp": now + 600}
