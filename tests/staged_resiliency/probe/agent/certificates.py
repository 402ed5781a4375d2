"""Certificates made for a test, sound ones and others; nothing of them outlives it."""

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> str:
        """The certificate alone, as text."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def trusted(self) -> ssl.SSLContext:
        """A client's context that trusts this authority and no other."""
        return ssl.create_default_context(cadata=self.pem())

    def serving(self, protocol: int = ssl.PROTOCOL_TLS_SERVER) -> ssl.SSLContext:
        """A server's context that shows this certificate."""
        context = ssl.SSLContext(protocol)
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with NamedTemporaryFile() as file:  # OpenSSL takes keys from files alone
            Path(file.name).write_bytes(self.pem().encode() + key)
            context.load_cert_chain(file.name)
        return context


def authority(name: str = "Test authority") -> Certificate:
    """An authority that signs its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = _builder(_name(name), _name(name), key, NOW - DAY, NOW + 365 * DAY)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Certificate(made.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key)


def issued(
    by: Certificate | None,
    names: Sequence[str] = (),
    addresses: Sequence[str] = (),
    begins: timedelta = -DAY,
    ends: timedelta = 90 * DAY,
) -> Certificate:
    """A server's certificate.

    Args:
        by: Who signs it; itself when None.
        names: DNS names that it is for.
        addresses: Addresses that it is for.
        begins: When it begins to be valid, from now on.
        ends: When it is no longer valid, from now on.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("server")
    signer = by.key if by else key
    issuer = by.certificate.subject if by else subject
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    made = (
        _builder(subject, issuer, key, NOW + begins, NOW + ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(purpose, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    return Certificate(made.sign(signer, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
