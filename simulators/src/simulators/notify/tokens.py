"""The key of the service that calls, and the tokens that it makes of it."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import jwt

from simulators.errors import ConfigurationError

LEEWAY_SECONDS = 30
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf"\S*?({_UUID})-({_UUID})\s*")


class NotAllowedError(Exception):
    """A token that is not let in, in the words of Notify."""


@dataclass(frozen=True, kw_only=True)
class ServiceKey:
    """The id of a service and the secret of its key."""

    service_id: str
    secret: str

    def admit(self, authorization: str) -> None:
        """Admit the bearer of a token. Raises NotAllowedError. The time is the real one, as it is for those who make tokens."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            raise NotAllowedError("Unauthorized: authentication bearer scheme must be used")
        try:
            claims = jwt.decode(token, self.secret, algorithms=["HS256"], options={"verify_iat": False})
        except jwt.InvalidAlgorithmError as error:
            raise NotAllowedError("Invalid token: algorithm used is not HS256") from error
        except jwt.InvalidTokenError as error:
            raise NotAllowedError("Invalid token: signature, api token not found") from error
        if claims.get("iss") != self.service_id:
            raise NotAllowedError("Invalid token: service not found")
        issued = claims.get("iat")
        if not isinstance(issued, int) or abs(time.time() - issued) > LEEWAY_SECONDS:
            raise NotAllowedError("Error: Your system clock must be accurate to within 30 seconds")


def read_key(path: Path) -> ServiceKey:
    """The API key in a file, as Notify's website gives it: name, service and secret. Raises ConfigurationError."""
    try:
        found = _KEY.fullmatch(path.read_text())
    except (OSError, ValueError):
        found = None
    if found is None:
        raise ConfigurationError("the key file holds no API key of Notify's form")
    return ServiceKey(service_id=found[1], secret=found[2])
