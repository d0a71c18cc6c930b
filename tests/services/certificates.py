"""Certificates for tests, each signed by itself, as PEM files; made anew each time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """``keystore``: certificate and key; ``truststore``: the certificate alone."""

    keystore: str
    truststore: str


def make_certificate(directory: Path, name: str, *, is_of_addresses: bool = True) -> Certificate:
    """A certificate for the name of the loopback interface, and for its addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    addresses = [x509.IPAddress(ip_address(f"127.0.0.{last}")) for last in (1, 2, 3) if is_of_addresses]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    keystore, truststore = directory / f"{name}.pem", directory / f"{name}-trusted.pem"
    keystore.write_bytes(public + private)
    keystore.chmod(0o600)
    truststore.write_bytes(public)
    return Certificate(str(keystore), str(truststore))
