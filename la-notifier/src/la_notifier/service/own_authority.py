"""Whose notices a caller may see: those of every authority, or a council officer's own."""

from chassis import call, clock
from chassis.authorities import AuthorityTable
from chassis.contract import allowed_roles
from cms.notifier.v1 import notifier_pb2
from la_notifier.domain.receipts import AuthorityRequired, OtherAuthority

_COUNCIL = "COUNCIL_OFFICER"
_METHODS = notifier_pb2.DESCRIPTOR.services_by_name["LaNotifierService"].methods_by_name


def is_council_officer() -> bool:
    """Whether the caller acts for an authority alone: no other of their roles may make this call."""
    now = call.current()
    method = _METHODS[now.method.rpartition("/")[2]]
    return now.identity.roles & allowed_roles(method) == {_COUNCIL}


def visible_codes(asked: str) -> tuple[str, ...] | None:
    """The codes of the authorities whose notices the caller is to see; None for all. `asked` is a code or "".

    An authority has the notices of those that merged into it.
    Raises AuthorityRequired, OtherAuthority, or AuthorityUnknown for a code that the table does not have.
    """
    if not is_council_officer():
        return codes_of(asked) if asked else None
    own = call.current().identity.authority
    if own is None:
        raise AuthorityRequired
    codes = codes_of(own)
    if asked and asked not in codes:
        raise OtherAuthority
    return codes


def expect_visible(authority_code: str) -> None:
    """Raises AuthorityRequired or OtherAuthority where the caller may not see this authority's notices."""
    codes = visible_codes("")
    if codes is not None and authority_code not in codes:
        raise OtherAuthority


def codes_of(code: str) -> tuple[str, ...]:
    """The codes of an authority and of those that merged into it by today. Raises AuthorityUnknown."""
    return tuple(sorted(AuthorityTable.load().held_by(code, clock.today())))
