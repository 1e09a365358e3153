"""Looks up the postcodes of addresses when they are given."""

from collections.abc import Mapping
from dataclasses import replace

from chassis import clock
from chassis.authorities import AuthorityTable, AuthorityUnknown
from chassis.errors import InvalidArgument, Violation
from chassis.postcodes import Postcodes
from intake.domain import faults
from intake.domain.given import GivenAnswer
from intake.domain.place import Place
from intake.domain.script import Script


def placed(postcodes: Postcodes, script: Script, given: Mapping[str, GivenAnswer]) -> dict[str, GivenAnswer]:
    """The answers, those that are addresses to be found with their places.

    Raises InvalidArgument naming each postcode whose first letters no postcode of Great Britain has: nobody could say which
    council it is of.
    """
    found = {
        name: _placed(postcodes, answer, is_located=script.questions[name].located) for name, answer in given.items()
    }
    lost = [name for name, answer in found.items() if answer.place and not _can_be_served(answer.place)]
    if lost:
        raise InvalidArgument.of(*(Violation.of(f"{name}.postcode", faults.POSTCODE_AREA) for name in lost))
    return found


def name_of_council(code: str) -> str:
    """The name of an authority."""
    return AuthorityTable.load().find(code, clock.today()).name


def _placed(postcodes: Postcodes, answer: GivenAnswer, *, is_located: bool) -> GivenAnswer:
    if not is_located or not isinstance(answer.value, dict) or "postcode" not in answer.value:
        return answer
    found = postcodes.councils(str(answer.value["postcode"]))
    councils = () if found.is_certain else tuple(dict.fromkeys(_in_force(found.codes)))
    return replace(answer, place=Place(is_listed=found.is_listed, councils=councils))


def _can_be_served(place: Place) -> bool:
    return place.is_listed or bool(place.councils)


def _in_force(codes: tuple[str, ...]) -> list[str]:
    """The codes of the authorities that these have become; those that the table does not have are left out."""
    table, in_force = AuthorityTable.load(), []
    for code in codes:
        try:
            in_force.append(table.find(code, clock.today()).code)
        except AuthorityUnknown:
            continue
    return in_force
