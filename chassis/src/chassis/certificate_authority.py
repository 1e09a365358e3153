"""A small authority for one machine and for tests: it issues short-lived certificates, one a service, with its name in it.

Beyond one machine cert-manager or a mesh does the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(hours=12)
FRONTEND = "frontend"
"""The name in the certificate of those who call for people: frontends, the command line, tests. No service has it."""
_AUTHORITY_LIFETIME = timedelta(days=3650)
_EARLIER = timedelta(minutes=5)
"""For clocks that differ."""


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate and its key, both in PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, kw_only=True)
class CertificateAuthority:
    """A key and the certificate that it signed for itself."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, name: str, key: ec.EllipticCurvePrivateKey | None = None) -> "CertificateAuthority":
        """Makes an authority, with a key of its own unless one is given."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        built = (
            _begun(name, name, own.public_key(), lifetime=_AUTHORITY_LIFETIME)
            .add_extension(constraints, critical=True)
            .add_extension(_usage(signs=True), critical=True)
        )
        return cls(key=own, certificate=built.sign(own, hashes.SHA256()))

    @classmethod
    def read(cls, *, key: bytes, certificate: bytes) -> "CertificateAuthority":
        """Reads an authority from PEM. Raises ValueError, and TypeError where the key is of another kind."""
        private = serialization.load_pem_private_key(key, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is none of an elliptic curve")
        return cls(key=private, certificate=x509.load_pem_x509_certificate(certificate))

    @property
    def public(self) -> bytes:
        """Its certificate in PEM, by which others verify those that it issued."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def secret(self) -> bytes:
        """Its key in PEM."""
        return _private_pem(self.key)

    def issue(self, *names: str, serves: bool = True, lifetime: timedelta = LIFETIME) -> Issued:
        """Issues a certificate with a new key for these names. One that does not serve is good for calling alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if serves else [])]
        built = (
            _begun(names[0], str(issuer), key.public_key(), lifetime=lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        signed = built.sign(self.key, hashes.SHA256())
        return Issued(certificate=signed.public_bytes(serialization.Encoding.PEM), key=_private_pem(key))


def _begun(name: str, issuer: str, key: ec.EllipticCurvePublicKey, *, lifetime: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + lifetime) - _EARLIER)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    """An authority signs certificates; its certificates sign handshakes."""
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
