"""Rules give the same whenever they are asked, and keep nothing that tells who somebody is."""

from datetime import date

from intake.domain import rules
from intake.domain.rules import Named, RuleCompiler


def test_a_rule_on_yes_and_no_gives_the_same_again_and_remembers_nothing_else() -> None:
    compiler = RuleCompiler({"liable": rules.BOOL, "wishes": rules.BOOL, "born": rules.TIMESTAMP})
    plain = compiler.condition("liable && wishes")
    personal = compiler.condition("liable && born < timestamp('2000-01-01T00:00:00Z')")
    values: list[Named] = [{}, {"liable": True}, {"liable": False}, {"liable": True, "wishes": True}, {"wishes": False}]

    first = [plain.result(known) for known in values]

    assert first == [plain.result(known) for known in values] == [None, None, False, True, False]
    assert len(plain.remembered) == len(values)

    born: Named = {"born": rules.timestamp(date(1999, 12, 31))}
    liable: list[Named] = [{}, {"liable": True}, {"liable": False}]
    assert [personal.result({**known, **born}) for known in liable] == [None, True, False]
    assert [personal.result(known) for known in liable] == [None, None, False]
    assert set(personal.remembered) == {(None,), (True,), (False,)}
