"""The command `cms-bundle`: takes a day's interviews along, notes findings away from the office, and brings them back.

    cms-bundle take trip.cms --day 2026-12-01
    cms-bundle show trip.cms
    cms-bundle confirm trip.cms C0123456789A surname --evidence PASSPORT --seen-on 2026-12-01
    cms-bundle correct trip.cms C0123456789A capital '"90.00"' --reason "saw the statement"
    cms-bundle dispute trip.cms C0123456789A tenure --value '"LODGER"' --reason "the landlord lives there"
    cms-bundle return trip.cms --preview

The token is read from CMS_TOKEN and the passphrase from CMS_BUNDLE_PASSPHRASE, or asked for. Only `take` and `return` need the
network.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

from google.type import date_pb2

from cms.assessment.v1 import bundle_pb2
from cms_client.answers import json_of
from cms_client.bundles import Device, NotThisBundle
from cms_client.certificate import Certificate
from cms_client.client import Addresses, CmsClient
from cms_client.refusal import Refused
from cms_client.trip_file import ShortPassphrase, TripFile, WrongPassphrase

_STATUSES = {"confirm": "CONFIRMED", "dispute": "DISPUTED", "correct": "CORRECTED"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status. What went wrong is on standard error."""
    given = _parser().parse_args(arguments)
    try:
        _COMMANDS[given.command](given, _passphrase())
    except (NotThisBundle, ShortPassphrase, WrongPassphrase, Refused, OSError) as error:
        sys.stderr.write(f"cms-bundle: {error}\n")
        return 1
    except KeyError as missing:
        sys.stderr.write(f"cms-bundle: {missing.args[0]} was not taken along\n")
        return 1
    return 0


def _take(given: argparse.Namespace, passphrase: str) -> None:
    device = Device.generate()
    request = bundle_pb2.TakeBundleRequest(
        day=date_pb2.Date(year=given.day.year, month=given.day.month, day=given.day.day),
        encryption_key=device.encryption_key,
        signing_key=device.signing_key,
        request_id=str(uuid4()),
    )
    with _client(given) as cms:
        bundle = cms.assessment.TakeBundle(request).bundle
    file = TripFile.taken(device, bundle)
    file.write(given.file, passphrase)
    _say(f"{len(bundle.claim_refs)} interviews; to be back by {file.return_by}")


def _show(given: argparse.Namespace, passphrase: str) -> None:
    file = TripFile.read(given.file, passphrase)
    for claim in file.trip.content["claims"]:
        _say(f"{claim['claim_ref']}  {claim['appointment']['start_time']}  {', '.join(claim['schemes'])}")
        for need in claim["needs"]:
            _say(f"  to see: {need['name']['en']} ({', '.join(need['kinds'])})")
        found = file.trip.findings.get(claim["claim_ref"], {})
        for item in claim["items"]:
            status = found.get(item["fact"], item)["status"]
            _say(f"  {item['fact']}: {json.dumps(item['value'], ensure_ascii=False)}  {status}")


def _find(given: argparse.Namespace, passphrase: str) -> None:
    file = TripFile.read(given.file, passphrase)
    seen_on = given.seen_on or datetime.now().astimezone().date()
    evidence = (given.evidence, seen_on) if given.evidence else None
    other = {} if given.command == "confirm" else {"value": given.value, "reason": given.reason}
    file.trip.find(given.claim, given.fact, _STATUSES[given.command], evidence=evidence, **other)
    file.changed()
    file.write(given.file, passphrase)


def _return(given: argparse.Namespace, passphrase: str) -> None:
    file = TripFile.read(given.file, passphrase)
    request = bundle_pb2.ReturnBundleRequest(
        bundle_id=file.bundle_id,
        content=file.trip.close(for_key=file.return_key),
        preview=given.preview,
        request_id=str(uuid4()) if given.preview else file.request_id,
    )
    with _client(given) as cms:
        answer = cms.assessment.ReturnBundle(request)
    for claim in answer.claims:
        _say(f"{claim.claim_ref}  {claim.refused_reason}".rstrip())
        for fact in claim.facts:
            _say(f"  {_line(file, claim.claim_ref, fact)}")


def _line(file: TripFile, claim_ref: str, fact: bundle_pb2.BundleFact) -> str:
    """The outcome of a fact; where it changed meanwhile, the answer as it was taken along and as it is now."""
    outcome = bundle_pb2.BundleOutcome.Name(fact.outcome).removeprefix("BUNDLE_OUTCOME_")
    if fact.outcome not in (bundle_pb2.BUNDLE_OUTCOME_CHANGED, bundle_pb2.BUNDLE_OUTCOME_GONE):
        return f"{fact.fact}: {outcome}  {fact.description}".rstrip()
    items = {item["fact"]: item for item in file.trip.claim(claim_ref)["items"]}
    taken = json.dumps(items.get(fact.fact, {}).get("value"), ensure_ascii=False)
    return f"{fact.fact}: {outcome}  {taken} → {json.dumps(json_of(fact.present_value), ensure_ascii=False)}"


_COMMANDS = {
    "take": _take,
    "show": _show,
    "confirm": _find,
    "dispute": _find,
    "correct": _find,
    "return": _return,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cms-bundle", description="Interviews away from the office.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in _COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("file", type=Path, help="the trip's file, encrypted with the passphrase")
        if name in ("take", "return"):
            command.add_argument("--address", default=Addresses().assessment, help="assessment-svc: host and port")
        if name in _STATUSES:
            _add_finding(command, name)
    commands.choices["take"].add_argument("--day", type=date.fromisoformat, required=True)
    commands.choices["return"].add_argument("--preview", action="store_true", help="say what would become of it")
    return parser


def _add_finding(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument("claim")
    command.add_argument("fact")
    command.add_argument("--evidence", help="the kind of document that was seen, such as PASSPORT")
    command.add_argument("--seen-on", type=date.fromisoformat, help="today when absent")
    if name == "correct":
        command.add_argument("value", type=json.loads, help="the right value, as JSON")
        command.add_argument("--reason", required=True)
    if name == "dispute":
        command.add_argument("--value", type=json.loads, help="what is held against the answer, as JSON")
        command.add_argument("--reason", default="", help="why it is in doubt")


def _client(given: argparse.Namespace) -> CmsClient:
    token = os.environ.get("CMS_TOKEN") or getpass.getpass("Token: ")
    return CmsClient(
        Addresses(assessment=given.address), token=lambda: token, certificate=Certificate.from_environment()
    )


def _passphrase() -> str:
    return os.environ.get("CMS_BUNDLE_PASSPHRASE") or getpass.getpass("Passphrase: ")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
