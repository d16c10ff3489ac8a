"""Certificates as they should be and as they should not, made in memory and written as PEM.

A CA makes leaves; every property a verifier must look at can be made wrong by a keyword. Nothing here is a promise of the product.
"""

import datetime
import hashlib
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
SERVER, CLIENT = [ExtendedKeyUsageOID.SERVER_AUTH], [ExtendedKeyUsageOID.CLIENT_AUTH]
COLLECTOR_URI = "pganalytics:collector:"


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits):
    return rsa.generate_private_key(65537, bits)


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def alternative(text):
    """"DNS:a", "IP:1.2.3.4", "NET:10.0.0.0/8" (for name constraints) or "URI:x" as a general name."""
    kind, _, value = text.partition(":")
    if kind == "IP":
        return x509.IPAddress(ipaddress.ip_address(value))
    if kind == "NET":
        return x509.IPAddress(ipaddress.ip_network(value))
    if kind == "URI":
        return x509.UniformResourceIdentifier(value)
    return x509.DNSName(value)


def pem(*certificates):
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def pin_of(certificate):
    info = certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(info).hexdigest()


def usage(sign=True, certify=False):
    return x509.KeyUsage(digital_signature=sign, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
                         key_cert_sign=certify, crl_sign=certify, encipher_only=False, decipher_only=False)


class Certificate:
    """A certificate with its key and the chain up to its root, the root included."""

    def __init__(self, certificate, key, issuers):
        self.certificate, self.key, self.issuers = certificate, key, issuers

    @property
    def chain(self):
        return [self.certificate, *self.issuers]

    def issue(self, subject="leaf", names=("IP:127.0.0.1",), purposes=SERVER, key=None, since=-DAY, until=30 * DAY, ca=False, path_length=None, sign_usage=True,
              algorithm=None, unknown_critical=False, permitted=None, excluded=None, issuer=None):
        """A certificate below this one. since and until count from now."""
        key = key or new_key()
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(name_of(subject)).issuer_name(issuer or self.certificate.subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now + since).not_valid_after(now + until)
                   .add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
                   .add_extension(usage(sign_usage, certify=ca or not sign_usage), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([alternative(name) for name in names]), critical=False)
        if purposes and not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if permitted or excluded:
            limits = x509.NameConstraints([alternative(name) for name in permitted] if permitted else None,
                                          [alternative(name) for name in excluded] if excluded else None)
            builder = builder.add_extension(limits, critical=True)
        if unknown_critical:
            builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), critical=True)
        return Certificate(builder.sign(self.key, algorithm or hashes.SHA256()), key, self.chain)

    def write(self, folder, name, chain=None, mode=0o600):
        """(certificate file, key file); the file holds `chain`, by default everything below the root."""
        files = os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")
        with open(files[0], "wb") as file:
            file.write(pem(*(self.chain[:-1] if chain is None else chain)))
        with open(files[1], "wb") as file:
            file.write(key_pem(self.key))
        os.chmod(files[1], mode)
        return files


def make_root(subject="root", key=None, names=(), purposes=None, ca=True):
    """Self-signed: a CA, or with ca=False a leaf that vouches for itself."""
    key = key or new_key()
    alone = Certificate(x509.CertificateBuilder().subject_name(name_of(subject)).issuer_name(name_of(subject)).public_key(key.public_key()).serial_number(1)
                        .not_valid_before(datetime.datetime.utcnow()).not_valid_after(datetime.datetime.utcnow() + DAY).sign(key, hashes.SHA256()), key, [])
    made = alone.issue(subject, names=names, purposes=purposes, key=key, until=3650 * DAY, ca=ca)
    return Certificate(made.certificate, key, [])


def load_root(folder):
    """A server's own CA, to make what it would never issue."""
    with open(os.path.join(folder, "ca.crt"), "rb") as file:
        certificate = x509.load_pem_x509_certificate(file.read())
    with open(os.path.join(folder, "ca.key"), "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    return Certificate(certificate, key, [])
