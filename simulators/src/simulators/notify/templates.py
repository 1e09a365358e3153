"""Templates: text with `((placeholders))`, filled in by each message."""

import base64
import binascii
import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from simulators.errors import ConfigurationError

TEMPLATES_FILE = Path(__file__).with_name("templates.toml")
LONGEST_TEXT = 918
LARGEST_FILE = 2 * 1_048_576
_PLACEHOLDER = re.compile(r"\(\(([^()]+)\)\)")


class UnfitError(Exception):
    """A message that Notify does not take, in the words in which it says so."""


class Template(BaseModel):
    """One template."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: Literal["sms", "email"]
    subject: str = ""
    body: str

    def fill(self, given: Mapping[str, Any]) -> tuple[str, str]:
        """Subject and body of a message. Raises UnfitError."""
        names = dict.fromkeys(_PLACEHOLDER.findall(self.subject + self.body))
        if missing := [name for name in names if name not in given]:
            raise UnfitError(f"Missing personalisation: {', '.join(missing)}")
        texts = {name: _text(given[name], self.type) for name in names}
        subject, body = (_PLACEHOLDER.sub(lambda found: texts[found[1]], text) for text in (self.subject, self.body))
        if self.type == "sms" and len(body) > LONGEST_TEXT:
            raise UnfitError(
                f"Text messages cannot be longer than {LONGEST_TEXT} characters. Your message is {len(body)}."
            )
        if not body.strip():
            raise UnfitError("Your message is empty.")
        return subject, body


def _text(value: Any, kind: str) -> str:
    """The text in the place of a placeholder: a value as it is, or the address at which a file can be fetched."""
    if not isinstance(value, dict):
        return str(value)
    if kind != "email":
        raise UnfitError("Can only send a file by email")
    try:
        content = base64.b64decode(str(value["file"]), validate=True)
    except (KeyError, binascii.Error) as error:
        raise UnfitError("File is not base64 encoded") from error
    if len(content) > LARGEST_FILE:
        raise UnfitError("File is larger than 2MB")
    if not content.startswith(b"%PDF-"):
        raise UnfitError("Unsupported file type")
    return f"https://documents.service.gov.uk/d/{hashlib.sha256(content).hexdigest()[:22]}"


def load_templates(path: Path = TEMPLATES_FILE) -> dict[str, Template]:
    """The templates of a file, by id. Raises ConfigurationError when it does not keep to the schema."""
    try:
        return TypeAdapter(dict[str, Template]).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error
