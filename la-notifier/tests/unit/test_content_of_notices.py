"""The people who get a notice, its kind and its content."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from la_notifier.data import disclosure
from la_notifier.domain.content import (
    NewVersion,
    PreviousVersion,
    content_of,
    next_kind,
    next_version,
    one_month_after,
    withdrawn_version,
)
from la_notifier.domain.facts import ClaimFacts, missing_facts, sought
from la_notifier.domain.notices import NoticeKind, NoticeState

Tenant = Callable[..., ClaimFacts]
INTENTION_ON, CLAIM_ON = date(2026, 1, 31), date(2026, 2, 3)


def content(facts: ClaimFacts) -> dict[str, Any]:
    return content_of(disclosure(), facts, authority_code="W06000015", intention_on=INTENTION_ON)


def version(kind: NoticeKind, state: NoticeState = NoticeState.LOADED, *, held: bool = True) -> PreviousVersion:
    return PreviousVersion(kind=kind, state=state, may_be_held=held)


@pytest.mark.parametrize(
    ("answers", "seeks"),
    [
        ({}, "BOTH"),
        ({"wishes_council_tax_benefit": False}, "HB"),
        ({"wishes_housing_benefit": False}, "CTB"),
        ({"wishes_housing_benefit": False, "wishes_council_tax_benefit": False}, None),
        ({"liable_for_rent": False, "wishes_housing_benefit": None}, "CTB"),
        ({"liable_for_rent": False}, "CTB"),
        ({"tenure": "OWNER_OCCUPIER", "liable_for_rent": None, "wishes_housing_benefit": None}, "CTB"),
        ({"liable_for_rent": False, "liable_for_council_tax": False}, None),
        ({"liable_for_rent": None, "liable_for_council_tax": None}, None),
        ({"tenure": "NON_DEPENDANT"}, None),
        ({"tenure": "NONE", "liable_for_rent": None, "liable_for_council_tax": None}, None),
        ({"nino": None}, "BOTH"),
    ],
)
def test_a_notice_goes_out_for_people_who_are_liable_and_wish_to_claim(
    tenant: Tenant, answers: dict[str, Any], seeks: str | None
) -> None:
    assert sought(tenant(**answers)) == seeks


def test_no_notice_goes_out_for_a_withdrawn_claim_or_one_of_child_maintenance(tenant: Tenant) -> None:
    assert sought(replace(tenant(), withdrawn=True)) is None
    assert sought(replace(tenant(), schemes=("CHILD_MAINTENANCE",))) is None


@pytest.mark.parametrize(
    ("schemes", "benefit"),
    [
        (("CHILD_MAINTENANCE", "INCOME_SUPPORT"), "IS"),
        (("CRISIS_LOAN", "INCAPACITY_BENEFIT"), "IB"),
        (("INCAPACITY_BENEFIT", "INCOME_SUPPORT"), "IS"),
        (("CRISIS_LOAN", "JOBSEEKERS_ALLOWANCE"), "JSA_UNDECIDED"),
    ],
)
def test_of_several_schemes_the_notice_names_the_one_that_opens_the_gateway(
    tenant: Tenant, schemes: tuple[str, ...], benefit: str
) -> None:
    facts = replace(tenant(), schemes=schemes)

    assert sought(facts) == "BOTH"
    assert content(facts)["benefit"] == benefit


@pytest.mark.parametrize("schemes", [("CRISIS_LOAN",), ("CHILD_MAINTENANCE", "CRISIS_LOAN")])
def test_no_notice_goes_out_where_no_scheme_opens_the_gateway(tenant: Tenant, schemes: tuple[str, ...]) -> None:
    assert sought(replace(tenant(), schemes=schemes)) is None


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ({}, ()),
        ({"nino": None, "title": None, "landlord": None, "rent_amount": None}, ()),
        ({"address": None}, ("address",)),
        ({"address": None, "surname": None, "date_of_birth": None}, ("surname", "date_of_birth", "address")),
        ({"tenure": None, "liable_for_rent": None}, ("tenure",)),
        ({"tenure": None, "liable_for_rent": None, "liable_for_council_tax": None}, ("tenure",)),
        ({"wishes_housing_benefit": None}, ()),
        ({"wishes_housing_benefit": None, "wishes_council_tax_benefit": False}, ("wishes_housing_benefit",)),
        ({"wishes_council_tax_benefit": None, "liable_for_rent": False}, ("wishes_council_tax_benefit",)),
        ({"liable_for_rent": None, "liable_for_council_tax": False}, ("liable_for_rent",)),
        ({"liable_for_rent": None, "liable_for_council_tax": None}, ("liable_for_rent", "liable_for_council_tax")),
        ({"tenure": "OWNER_OCCUPIER", "liable_for_rent": None, "liable_for_council_tax": False}, ()),
        ({"tenure": "NON_DEPENDANT", "address": None}, ()),
        ({"tenure": "NONE", "liable_for_rent": None, "liable_for_council_tax": None, "address": None}, ()),
        ({"wishes_housing_benefit": False, "wishes_council_tax_benefit": False, "address": None}, ()),
    ],
)
def test_cleared_answers_are_missing_unless_nothing_can_be_sought(
    tenant: Tenant, answers: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert missing_facts(tenant(**answers)) == missing


def test_a_claim_without_a_notice_misses_no_facts(tenant: Tenant) -> None:
    assert missing_facts(replace(tenant(address=None), withdrawn=True)) == ()
    assert missing_facts(replace(tenant(address=None), schemes=("CHILD_MAINTENANCE",))) == ()


@given(
    taken=st.sets(
        st.sampled_from(
            ["surname", "address", "tenure", "liable_for_rent", "wishes_housing_benefit", "nino", "landlord"]
        )
    ),
    submitted=st.booleans(),
)
def test_a_notice_can_be_made_whenever_something_is_sought_and_no_fact_is_missing(
    tenant: Tenant, *, taken: set[str], submitted: bool
) -> None:
    facts = replace(tenant(**dict.fromkeys(taken)), claim_on=CLAIM_ON if submitted else None)

    if sought(facts) and not missing_facts(facts):
        assert {"claimant", "address", "tenancy"} <= content(facts).keys()


@pytest.mark.parametrize(
    ("scheme", "benefit"),
    [("INCOME_SUPPORT", "IS"), ("JOBSEEKERS_ALLOWANCE", "JSA_UNDECIDED"), ("INCAPACITY_BENEFIT", "IB")],
)
def test_the_benefit_is_that_of_the_scheme(tenant: Tenant, scheme: str, benefit: str) -> None:
    assert content(replace(tenant(), schemes=("CHILD_MAINTENANCE", scheme)))["benefit"] == benefit


@pytest.mark.parametrize(
    ("answers", "benefit"),
    [
        ({"ever_worked": True, "claims_income_based": True}, "JSA_UNDECIDED"),
        ({"ever_worked": True, "claims_income_based": False}, "JSA_C"),
        ({"ever_worked": False}, "JSA_IB"),
        ({}, "JSA_UNDECIDED"),
    ],
)
def test_jobseekers_allowance_is_told_by_its_kind_where_only_one_is_claimed(
    tenant: Tenant, answers: dict[str, Any], benefit: str
) -> None:
    assert content(replace(tenant(**answers), schemes=("JOBSEEKERS_ALLOWANCE",)))["benefit"] == benefit


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2028, 2, 29), date(2028, 3, 29)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 12, 31), date(2027, 1, 31)),
        (date(2026, 11, 22), date(2026, 12, 22)),
    ],
)
def test_a_month_ends_on_the_same_day_or_on_the_last_day_of_the_next_month(day: date, after: date) -> None:
    assert one_month_after(day) == after


@given(day=st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_month_later_is_in_the_next_month_and_not_past_the_same_day(day: date) -> None:
    after = one_month_after(day)

    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == 1
    assert after.day <= day.day
    assert after.day == day.day or (after + timedelta(days=1)).day == 1


@given(day=st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_later_intention_is_never_due_earlier(day: date) -> None:
    assert one_month_after(day) <= one_month_after(day + timedelta(days=1))


def test_an_intention_has_dates_person_and_home_but_no_particulars(tenant: Tenant) -> None:
    facts = replace(tenant(), first_contact_on=date(2026, 1, 30))

    assert content(facts) == {
        "authority_code": "W06000015",
        "claim_ref": facts.claim_ref,
        "benefit": "JSA_UNDECIDED",
        "seeks": "BOTH",
        "first_contact_on": "2026-01-30",
        "intention_on": "2026-01-31",
        "claim_due_on": "2026-02-28",
        "proof_due_on": "2026-02-28",
        "claimant": {
            "nino": "AB123456C",
            "title": "MS",
            "surname": "O’Brien-Łukasz",
            "forenames": "Siân",
            "date_of_birth": "1980-02-29",
        },
        "address": {"lines": ["1 High Street", "Cardiff"], "postcode": "CF10 4ER"},
        "tenancy": {
            "kind": "PRIVATE_TENANT",
            "landlord": "Landlord Ltd",
            "rent_amount": "85.50",
            "rent_period": "WEEKLY",
            "moved_in_on": "2021-03-04",
        },
        "language": "CY",
    }


def test_a_claim_adds_the_day_of_claim_and_the_particulars(tenant: Tenant) -> None:
    draft = tenant()

    found = content(replace(draft, claim_on=CLAIM_ON))

    assert found == content(draft) | {
        "claim_on": "2026-02-03",
        "household": [
            {"relationship": "SON_OR_DAUGHTER", "date_of_birth": "2019-05-01", "non_dependant": False},
            {"relationship": "PARENT", "non_dependant": True},
        ],
        "income": [
            {"kind": "EARNINGS", "amount": "40.00", "period": "WEEKLY"},
            {"kind": "PARTNER_PENSION", "amount": "100.00", "period": "MONTHLY"},
        ],
        "capital_band": "UP_TO_6000",
    }


def test_a_notice_names_the_partner_where_there_is_one(tenant: Tenant) -> None:
    partner = {"partner_surname": "Łukasz", "partner_forenames": "Jan", "partner_date_of_birth": "1979-01-01"}

    found = content(tenant(has_partner=True, **partner))

    assert found["partner"] == {"surname": "Łukasz", "forenames": "Jan", "date_of_birth": "1979-01-01"}


def test_a_partner_is_told_of_once_their_names_and_birth_date_are_known(tenant: Tenant) -> None:
    assert "partner" not in content(tenant(has_partner=True, partner_surname="Łukasz"))


def test_a_notice_holds_no_bank_details_and_no_medical_facts(tenant: Tenant) -> None:
    secret = {"sort_code": "203040", "account_number": "87654321", "restrictions": "bad back", "telephone": "+4429"}

    found = str(content(replace(tenant(**secret), claim_on=CLAIM_ON)))

    assert not [value for value in secret.values() if value in found]


INTENTION, CLAIM, CHANGE = NoticeKind.INTENTION, NoticeKind.CLAIM, NoticeKind.CHANGE
AWARD, WITHDRAWN = NoticeKind.AWARD, NoticeKind.WITHDRAWN


@pytest.mark.parametrize(
    ("submitted", "versions", "kind"),
    [
        (False, [], INTENTION),
        (False, [version(INTENTION, held=False)], INTENTION),
        (False, [version(INTENTION)], CHANGE),
        (False, [version(INTENTION, NoticeState.REFUSED)], INTENTION),
        (True, [], CLAIM),
        (True, [version(INTENTION)], CLAIM),
        (True, [version(INTENTION, held=False)], CLAIM),
        (True, [version(CLAIM, NoticeState.SUPERSEDED, held=False)], CLAIM),
        (True, [version(CLAIM, NoticeState.REFUSED)], CLAIM),
        (True, [version(CLAIM)], CHANGE),
        (True, [version(CLAIM, NoticeState.WAITING)], CHANGE),
        (True, [version(CLAIM), version(CHANGE, NoticeState.REFUSED)], CHANGE),
        (True, [version(INTENTION), version(CHANGE)], CLAIM),
        (True, [version(AWARD)], CHANGE),
        (True, [version(CLAIM), version(WITHDRAWN)], CLAIM),
        (False, [version(INTENTION), version(WITHDRAWN)], INTENTION),
        (True, [version(CLAIM), version(WITHDRAWN, NoticeState.SUPERSEDED, held=False)], CHANGE),
    ],
)
def test_the_next_kind_depends_on_submission_and_on_the_versions_told(
    tenant: Tenant, *, submitted: bool, versions: list[PreviousVersion], kind: NoticeKind
) -> None:
    facts = replace(tenant(), claim_on=CLAIM_ON if submitted else None)

    assert next_kind(facts, versions, award=None, newest=None) is kind


def test_a_version_is_needed_only_where_the_content_differs_from_the_newest(tenant: Tenant) -> None:
    def number(changed: dict[str, Any], newest: NoticeState) -> int | None:
        previous = [version(INTENTION), version(CHANGE, newest)]
        new = next_version(tenant(), changed, previous, {"seeks": "BOTH"})
        return new.version if new else None

    assert next_version(tenant(), {"seeks": "HB"}, [], None) == NewVersion(
        version=1, kind=INTENTION, content={"seeks": "HB"}
    )
    assert number({"seeks": "HB"}, NoticeState.LOADED) == 3
    assert number({"seeks": "BOTH"}, NoticeState.LOADED) is None
    assert number({"seeks": "BOTH"}, NoticeState.REFUSED) is None
    assert number({"seeks": "BOTH"}, NoticeState.SUPERSEDED) == 3


IS_AWARDED = {"benefit": "IS", "outcome": "AWARDED", "from": "2026-02-03"}
IS_DISALLOWED = IS_AWARDED | {"outcome": "DISALLOWED"}


@pytest.mark.parametrize(
    ("versions", "newest", "kind"),
    [
        ([version(CLAIM)], None, AWARD),
        ([version(CLAIM, NoticeState.WAITING, held=False)], None, AWARD),
        ([version(AWARD)], IS_AWARDED, CHANGE),
        ([version(AWARD), version(CHANGE)], IS_AWARDED, CHANGE),
        ([version(AWARD)], IS_DISALLOWED, AWARD),
        ([version(AWARD, NoticeState.WAITING, held=False)], IS_AWARDED, AWARD),
        ([version(AWARD, NoticeState.REFUSED)], IS_AWARDED, AWARD),
        ([version(AWARD), version(WITHDRAWN)], None, AWARD),
    ],
)
def test_a_decision_of_which_the_authority_was_not_told_makes_an_award(
    tenant: Tenant, versions: list[PreviousVersion], newest: dict[str, Any] | None, kind: NoticeKind
) -> None:
    facts = replace(tenant(), claim_on=CLAIM_ON)

    assert next_kind(facts, versions, award=IS_AWARDED, newest={"award": newest} if newest else {}) is kind


def test_a_withdrawal_says_who_it_is_of_and_no_particulars(tenant: Tenant) -> None:
    intention, refused = version(INTENTION), version(CLAIM, NoticeState.REFUSED)
    last = content(replace(tenant(), claim_on=CLAIM_ON))

    new = withdrawn_version(disclosure(), [intention, refused], last)

    assert new is not None
    assert (new.version, new.kind) == (3, WITHDRAWN)
    assert new.content == {
        name: last[name] for name in last.keys() - {"partner", "tenancy", "household", "income", "capital_band"}
    }


@pytest.mark.parametrize(
    "versions",
    [
        [version(CLAIM, NoticeState.REFUSED)],
        [version(INTENTION, NoticeState.WAITING, held=False)],
        [version(INTENTION), version(WITHDRAWN, NoticeState.WAITING, held=False)],
        [version(INTENTION), version(WITHDRAWN), version(CLAIM, NoticeState.WAITING, held=False)],
    ],
)
def test_an_authority_that_holds_nothing_or_is_told_already_gets_no_withdrawal(versions: list[PreviousVersion]) -> None:
    assert withdrawn_version(disclosure(), versions, {"seeks": "HB"}) is None


def test_nothing_is_withdrawn_where_there_is_no_version() -> None:
    assert withdrawn_version(disclosure(), [], None) is None
