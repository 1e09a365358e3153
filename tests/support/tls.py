"""Channels to the services of a platform, with the certificates that `cms` has made for it."""

from collections.abc import Sequence
from typing import Any

import grpc

from chassis import tls
from chassis.certificate_authority import FRONTEND
from chassis.testing.tls import holder_of
from cms_local import certificates
from cms_local.layout import Layout


def certificate_files(layout: Layout, holder: str = FRONTEND) -> dict[str, str]:
    """The files of a holder's certificate, by the clients' names for them."""
    found = certificates.files(layout.keys(""), holder)
    return {"certificate": str(found.certificate), "key": str(found.key), "authority": str(found.authority)}


def platform_channel(
    layout: Layout, service: str, *, token: str = "", options: Sequence[tuple[str, Any]] = ()
) -> grpc.Channel:
    """A channel to a service, with the certificate of the token's owner: a service that is not on the list gets one."""
    holder, folder = holder_of(token), layout.keys("")
    known = certificates.files(folder, holder)
    material = tls.load(known if known.certificate.exists() else certificates.issue(folder, holder))
    return tls.secured(
        f"127.0.0.1:{layout.grpc_port(service)}", service=service, material=material, options=tuple(options)
    )
