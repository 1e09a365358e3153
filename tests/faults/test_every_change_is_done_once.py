"""Every change is made once and answered on retry when the service dies around the commit."""

from dataclasses import replace

import pytest

from chassis.testing import eventually
from cms_local.journey import ASSESSMENT, GATEWAY, NOTIFIER
from tests.support.dying_doors import DyingDoors
from tests.support.each_change import (
    all_is_heard,
    ask_for_evidence,
    balance,
    bind_and_import,
    call_back_and_withdraw,
    close_without_confirmation,
    decide_a_duplicate,
    decide_a_loan,
    end_what_is_held,
    hold_and_erase,
    lift_a_lock,
    redirect_a_notice,
    repair,
    replay_a_dead_letter,
    report_lines,
    see_to_notices,
)
from tests.support.each_interview import be_away, change_appointments, link_a_diary, publish_a_rota
from tests.support.platforms import PlatformUnderTest
from tests.support.raw_doors import methods
from tests.support.siege import assert_all_came_through

pytestmark = pytest.mark.xdist_group("faults")

SERVICE, INTAKE = "scheduling-svc", "intake-svc"


@pytest.mark.long
@pytest.mark.parametrize("point", ["request.before_commit", "request.after_commit"])
def test_a_change_whose_reply_was_lost_is_made_once_and_answered_on_retry(
    platform_under_test: PlatformUnderTest, point: str
) -> None:
    platform, plain = platform_under_test, platform_under_test.doors
    doors = DyingDoors(address=plain.address, client=plain.client, platform=platform, point=point)
    changes = {name for name, method in methods().items() if "request_id" in method.input_type.fields_by_name}
    claim = replace(platform, doors=doors).journey(
        "assessor corrects the employer",
        amend_after={"capital": "1250.00"},
        amend_confirmed={"pension_weekly": "12.00"},
    )

    claim.take_call()
    eventually(lambda: all_is_heard(platform, claim.claim_ref), seconds=30, what="every receipt")
    claim.assess()
    claim.wait_for_outcome()
    claim.amend_confirmed()

    replay_a_dead_letter(platform, doors, claim)
    call_back_and_withdraw(doors, claim)
    change_appointments(platform, doors, claim)
    publish_a_rota(doors, claim)
    be_away(doors, claim)
    link_a_diary(doors, claim)
    decide_a_loan(platform, doors)
    decide_a_duplicate(doors, claim)
    bind_and_import(doors, claim)
    report_lines(doors, claim)
    hold_and_erase(doors, claim)
    lift_a_lock(platform, doors, claim)
    end_what_is_held(platform, doors)
    close_without_confirmation(platform, doors)
    repair(platform, doors)
    balance(platform, doors)
    ask_for_evidence(platform, doors)
    redirect_a_notice(platform, doors)
    see_to_notices(platform, doors)

    assert doors.died == changes
    again = [(change, doors.answer_again(change)) for change in doors.changes]
    served = {INTAKE, SERVICE, ASSESSMENT, GATEWAY, NOTIFIER}
    assert {change.service for change, answer in again if answer} == served
    assert [change.method for change, answer in again if answer not in (None, change.answer)] == []
    assert_all_came_through(platform, [claim])
