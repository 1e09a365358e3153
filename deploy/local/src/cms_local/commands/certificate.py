"""The command `cms certificate`."""

import shlex

from chassis.certificate_authority import FRONTEND
from cms_local import certificates
from cms_local.commands.terminal import fail, this_layout


def certificate() -> None:
    """Print where the frontends' certificate is, as variables for a shell: eval "$(cms certificate)"."""
    found = certificates.files(this_layout().keys(""), FRONTEND)
    if not found.certificate.exists():
        raise fail("there is no certificate yet: start a platform once with `cms up`")
    for name, path in (("CERTIFICATE", found.certificate), ("KEY", found.key), ("AUTHORITY", found.authority)):
        print(f"export CMS_TLS_{name}_FILE={shlex.quote(str(path))}")
