"""Settings come from the environment; what is wrong with them is told all at once, by name, and never shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.settings import ServiceSettings, SettingsError

NEEDED = {
    "CMS_GRPC_PORT": "50051",
    "CMS_HTTP_PORT": "8051",
    "CMS_OPERATIONS_PORT": "8151",
    "CMS_DATABASE_URL": "postgresql://app:secret@127.0.0.1/intake",
    "CMS_DATABASE_HOUSEKEEPING_URL": "postgresql://housekeeping:secret@127.0.0.1/intake",
    "CMS_DATABASE_OWNER_URL": "postgresql://owner:secret@127.0.0.1/intake",
    "CMS_BUS_URL": "redis://:secret@127.0.0.1:6379/0",
    "CMS_JWKS_FILE": "/keys/jwks.json",
    "CMS_TOKEN_FILE": "/keys/token",
    "CMS_KEYRING_FILE": "/keys/keyring.json",
    "CMS_SIGNING_KEY_FILE": "/keys/intake-svc.signing.json",
    "CMS_SIGNATORIES_FILE": "/keys/signatories.json",
    "CMS_ACCESS_LOG_FOLDER": "/access-log",
    "CMS_TLS_CERTIFICATE_FILE": "/keys/intake-svc.tls.pem",
    "CMS_TLS_KEY_FILE": "/keys/intake-svc.tls.key",
    "CMS_TLS_AUTHORITY_FILE": "/keys/authority.pem",
}
NUMBERS = ["CMS_GRPC_PORT", "CMS_TIME_SCALE", "CMS_KEEP_DAYS", "CMS_DRAIN_SECONDS"]


def test_each_setting_is_read_from_its_variable() -> None:
    given = {
        **NEEDED,
        "CMS_TIME_SCALE": "0.1",
        "CMS_CLOCK_OFFSET_FILE": "/run/clock",
        "PATH": "/bin",
    }

    found = ServiceSettings.read(given)

    assert (found.grpc_port, found.time_scale) == (50051, 0.1)
    assert (found.jwks_file, found.clock_offset_file) == (Path("/keys/jwks.json"), Path("/run/clock"))
    assert found.database_url == NEEDED["CMS_DATABASE_URL"]


def test_unset_settings_take_their_defaults() -> None:
    found = ServiceSettings.read({**NEEDED, "CMS_CLOCK_OFFSET_FILE": "", "CMS_BUS_PREFIX": ""})

    assert (found.host, found.bus_prefix, found.clock_offset_file) == ("127.0.0.1", "", None)
    assert (found.time_scale, found.keep_days, found.drain_seconds) == (1.0, 7.0, 10.0)


def test_all_faults_are_reported_together_by_variable() -> None:
    given = {**NEEDED, "CMS_DATABASE_URL": "", "CMS_GRPC_PORT": "fifty", "CMS_TIME_SCALE": "0", "CMS_KEEP_DAYS": "0.5"}
    del given["CMS_KEYRING_FILE"]

    with pytest.raises(SettingsError) as refused:
        ServiceSettings.read(given)

    assert str(refused.value) == (
        "not started: settings: CMS_GRPC_PORT: Expected `int`; CMS_DATABASE_URL is empty;"
        " CMS_KEYRING_FILE is not set; CMS_TIME_SCALE: Expected `float` > 0.0; CMS_KEEP_DAYS: Expected `float` >= 1.0"
    )


@pytest.mark.parametrize(
    "origins",
    [
        "",
        "loopback",
        "https://desk.example",
        "http://desk.example:8080, loopback",
        "https://a.example,https://b.example",
    ],
)
def test_exact_origins_are_taken(origins: str) -> None:
    assert ServiceSettings.read({**NEEDED, "CMS_CORS_ORIGINS": origins}).cors_origins == origins


@pytest.mark.parametrize(
    "origins",
    [
        "*",
        "null",
        "desk.example",
        "https://*.example",
        "https://desk.example/",
        "https://desk.example/page",
        "https://Desk.example",
        "ftp://desk.example",
        "https://a.example https://b.example",
        "https://a.example,",
    ],
)
def test_an_inexact_origin_is_refused(origins: str) -> None:
    with pytest.raises(SettingsError, match="CMS_CORS_ORIGINS") as refused:
        ServiceSettings.read({**NEEDED, "CMS_CORS_ORIGINS": origins})

    assert origins not in str(refused.value).replace("https?://[^", "") or origins == "*"


def test_blanks_around_a_value_are_stripped() -> None:
    assert ServiceSettings.read({**NEEDED, "CMS_GRPC_PORT": " 8051\n"}).grpc_port == 8051


def test_an_empty_variable_does_not_mean_its_default() -> None:
    with pytest.raises(SettingsError, match=r"^not started: settings: CMS_ISSUER is empty; CMS_TIME_SCALE is empty$"):
        ServiceSettings.read({**NEEDED, "CMS_ISSUER": " ", "CMS_TIME_SCALE": ""})


def test_undecodable_variables_are_reported_like_bad_numbers() -> None:
    with pytest.raises(SettingsError, match="CMS_GRPC_PORT is not written in UTF-8"):
        ServiceSettings.read({**NEEDED, "CMS_GRPC_PORT": b"5\xff".decode("utf-8", "surrogateescape")})


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "1e400"])
@pytest.mark.parametrize("name", ["CMS_TIME_SCALE", "CMS_KEEP_DAYS", "CMS_HOUSEKEEPING_SECONDS", "CMS_DRAIN_SECONDS"])
def test_waits_are_finite_numbers_of_seconds(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        ServiceSettings.read({**NEEDED, name: text})


@given(
    name=st.sampled_from(NUMBERS), text=st.text(alphabet=st.characters(codec="ascii", categories=["L"]), min_size=12)
)
def test_values_of_variables_are_never_shown(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ServiceSettings.read({**NEEDED, name: text})

    assert name in str(refused.value)
    assert text not in str(refused.value)


def test_settings_are_immutable() -> None:
    found = ServiceSettings.read(NEEDED)

    with pytest.raises(AttributeError):
        found.grpc_port = 1  # type: ignore[misc]
    assert found.grpc_port == 50051
