import json
from importlib import import_module

from google.protobuf.descriptor import ServiceDescriptor

from cms_client.repeats import is_repeatable, service_config

PACKAGES = ("assessment", "gateway", "intake", "notifier", "operations", "scheduling")


def services() -> list[ServiceDescriptor]:
    """Every service of the contract."""
    modules = [import_module(f"cms.{package}.v1.{package}_pb2") for package in PACKAGES]
    return [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]


def test_a_change_is_repeatable_by_its_request_id() -> None:
    [intake] = [service for service in services() if service.name == "IntakeService"]

    assert is_repeatable(intake.methods_by_name["RecordAnswers"])


def test_the_config_of_a_channel_names_the_methods_that_may_be_sent_again() -> None:
    [intake] = [service for service in services() if service.name == "IntakeService"]

    [policy] = json.loads(service_config([intake]))["methodConfig"]

    assert {"service": "cms.intake.v1.IntakeService", "method": "SubmitClaim"} in policy["name"]
    assert policy["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]
