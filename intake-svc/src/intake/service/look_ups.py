"""HMACs by which a claim is found, because the facts themselves are stored encrypted."""

from chassis.vault import Vault
from intake.domain.call import folded
from intake.domain.claim import value_of
from intake.domain.interview import Answers
from intake.domain.search import LookUps


def look_ups(vault: Vault, answers: Answers) -> LookUps:
    """The look-ups of a claim with these answers."""
    nino, surname, born = (value_of(answers, name) for name in ("nino", "surname", "date_of_birth"))
    address = value_of(answers, "address")
    postcode = address.get("postcode") if isinstance(address, dict) else None
    return LookUps(
        nino=nino_look_up(vault, str(nino)) if nino else None,
        person=person_look_up(vault, surname=str(surname), date_of_birth=str(born)) if surname and born else None,
        postcode=postcode_look_up(vault, str(postcode)) if postcode else None,
    )


def nino_look_up(vault: Vault, nino: str) -> bytes:
    """The look-up of a canonical NINO."""
    return vault.lookup(f"nino|{nino}")


def person_look_up(vault: Vault, *, surname: str, date_of_birth: str) -> bytes:
    """The look-up of a surname, in any spelling, and a date of birth (YYYY-MM-DD)."""
    return vault.lookup(f"person|{folded(surname)}|{date_of_birth}")


def surname_look_up(vault: Vault, surname: str) -> bytes:
    """The look-up of a surname, in any spelling."""
    return vault.lookup(f"surname|{folded(surname)}")


def postcode_look_up(vault: Vault, postcode: str) -> bytes:
    """The look-up of a canonical postcode."""
    return vault.lookup(f"postcode|{postcode}")
