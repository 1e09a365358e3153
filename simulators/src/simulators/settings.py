"""Settings, read once from the environment and checked at the start."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from simulators.errors import ConfigurationError


class Settings(BaseSettings):
    """The settings of every stand-in. Port 0 takes a free one."""

    model_config = SettingsConfigDict(env_prefix="CMS_SIM_", populate_by_name=True, frozen=True, env_ignore_empty=True)

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    control_port: int = Field(ge=0, le=65535)
    data: Path
    """Folder of the ledger; made when it is not there."""
    clock_offset_file: Path | None = Field(default=None, validation_alias="CMS_CLOCK_OFFSET_FILE")


class RecordLinkSettings(Settings):
    """The settings of a mainframe on the record link."""

    copybooks: Path
    """Folder of the copybook files."""
    time_scale: float = Field(default=1.0, gt=0, validation_alias="CMS_TIME_SCALE")
    """Multiplies the waits of the interface document (the 10 s buffer, the 2 s enquiry lag) and the time of an outage."""


class IscsSettings(RecordLinkSettings):
    """The settings of ISCS."""

    port: int = Field(default=9101, ge=0, le=65535)
    control_port: int = Field(default=9121, ge=0, le=65535)


class JsapsSettings(RecordLinkSettings):
    """The settings of JSAPS."""

    port: int = Field(default=9102, ge=0, le=65535)
    control_port: int = Field(default=9122, ge=0, le=65535)


class SfcsSettings(RecordLinkSettings):
    """The settings of SFCS."""

    port: int = Field(default=9103, ge=0, le=65535)
    control_port: int = Field(default=9123, ge=0, le=65535)


class SftpSettings(Settings):
    """The settings of a stand-in that takes files."""

    user: str
    """The user of the SFTP door."""
    authorized_keys: Path
    """The public keys of that user, as OpenSSH writes them."""
    host_key: Path
    """The private key by which the door shows who it is."""
    cycle_seconds: float = Field(default=1800.0, gt=0)
    """From one cycle to the next; multiplied by the time scale."""
    time_scale: float = Field(default=1.0, gt=0, validation_alias="CMS_TIME_SCALE")


class PscsSettings(SftpSettings):
    """The settings of PSCS."""

    port: int = Field(default=9104, ge=0, le=65535)
    control_port: int = Field(default=9124, ge=0, le=65535)
    copybooks: Path
    """Folder of the copybook files."""
    user: str = "cms3gway"


class CotsSettings(Settings):
    """The settings of CMS-COTS."""

    port: int = Field(default=9105, ge=0, le=65535)
    control_port: int = Field(default=9125, ge=0, le=65535)
    token_file: Path
    """The bearer token that callers must show."""


class CouncilsSettings(SftpSettings):
    """The settings of the councils."""

    port: int = Field(default=9106, ge=0, le=65535)
    """The port of the HTTP door, where notices come by `api` and letters are delivered."""
    sftp_port: int = Field(default=9107, ge=0, le=65535)
    control_port: int = Field(default=9126, ge=0, le=65535)
    user: str = "cms3"
    secrets: Path
    """JSON file: authority code to secret, in hex."""
    load_seconds: float = Field(default=1.0, ge=0)
    """How long after its receipt a notice is loaded."""


class NotifySettings(Settings):
    """The settings of Notify."""

    port: int = Field(default=9109, ge=0, le=65535)
    control_port: int = Field(default=9129, ge=0, le=65535)
    key_file: Path
    """The API key of the service that calls, as Notify's website gives it."""
    deliver_seconds: float = Field(default=1.0, ge=0)
    """From taking a message to its delivery, by the clock of the platform."""
    per_minute: int = Field(default=3_000, ge=1)
    """Messages in any 60 seconds: more are answered 429."""


class SwitchSettings(Settings):
    """The settings of the telephone switch."""

    port: int = Field(default=9108, ge=0, le=65535)
    control_port: int = Field(default=9128, ge=0, le=65535)
    intake_url: str = Field(pattern="^https?://[^/]+$")
    """The HTTP door of intake, without a path."""
    token_file: Path
    """The switch's own token, read before each report."""
    calls_per_day: int = Field(default=11_000, ge=0, le=400_000)
    """On a middling day: 55,000 in a normal week."""
    seed: int = 0
    report_seconds: float = Field(default=5.0, gt=0)
    """How often it looks for what is to be reported."""


class RotasSettings(Settings):
    """The settings of the managers' rota system. It has one door for both: `control_port` is not opened."""

    port: int = Field(default=9110, ge=0, le=65535)
    control_port: int = Field(default=9110, ge=0, le=65535)
    scheduling_url: str = Field(pattern="^https?://[^/]+$")
    """The HTTP door of scheduling, without a path."""
    token_file: Path
    """A service manager's token, read before each publication."""
    offices: str = Field(default=" ".join(f"6{number:04}1" for number in range(1, 17)), pattern="^(all|[0-9 ]*)$")
    """The codes of the offices whose rotas are published, with a space between; or `all`."""
    weeks_ahead: int = Field(default=4, ge=0, le=12)
    """The weeks that are published after the one that is now."""
    publish_seconds: float = Field(default=0.5, gt=0)
    """How often it looks for what is to be published: the platform's clock can be moved by days."""


SettingsKind = TypeVar("SettingsKind", bound=Settings)


def read_settings(kind: type[SettingsKind], **given: Any) -> SettingsKind:
    """The settings from the environment; `given` goes before it. Raises ConfigurationError naming what is wrong."""
    try:
        return kind(**given)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise ConfigurationError(f"settings: {problems}") from error
