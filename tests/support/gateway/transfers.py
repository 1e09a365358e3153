"""Transfers in any state, for tests without a database."""

from datetime import UTC, datetime

from legacy_gateway.domain import (
    Action,
    Rules,
    State,
    System,
    Transfer,
)

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
TWO_PHASES = Rules(
    system=System.JSAPS,
    schemes=("JOBSEEKERS_ALLOWANCE",),
    phases=2,
    recognises_repeat=False,
    final_after_closing_seconds=12.0,
    withdraws_first_phase=True,
    withdrawn_code="ES0031",
)
RECOGNISES = Rules(system=System.ISCS, schemes=("INCOME_SUPPORT",), recognises_repeat=True)


def transfer(
    state: State, *, phase: int = 1, setbacks: int = 0, defects: int = 0, rules: Rules = TWO_PHASES
) -> Transfer:
    return Transfer(
        transfer_id="0" * 26,
        claim_ref="C00000000018",
        claim_version=7,
        action=Action.NEW,
        generation=1,
        rules=rules,
        phase=phase,
        state=state,
        setbacks=setbacks,
        defects=defects,
    )
