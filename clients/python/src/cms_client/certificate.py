"""The certificate by which a program that calls proves who it is."""

import os
from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """PEM files: the caller's certificate, its private key, and the authority by which services are believed.

    They are read when a client is made. Certificates live for hours: make another client after they were renewed.
    """

    certificate: Path
    key: Path
    authority: Path

    @classmethod
    def from_environment(cls) -> "Certificate":
        """Reads the paths from CMS_TLS_CERTIFICATE_FILE, CMS_TLS_KEY_FILE and CMS_TLS_AUTHORITY_FILE. Raises KeyError."""
        return cls(
            certificate=Path(os.environ["CMS_TLS_CERTIFICATE_FILE"]),
            key=Path(os.environ["CMS_TLS_KEY_FILE"]),
            authority=Path(os.environ["CMS_TLS_AUTHORITY_FILE"]),
        )

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files. Raises OSError if one is missing."""
        return grpc.ssl_channel_credentials(
            self.authority.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes()
        )
