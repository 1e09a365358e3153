"""SFCS, the Social Fund Computer System: a stand-in that keeps to the interface document."""

from pathlib import Path

from simulators.record_link.mainframe import Mainframe, Phase

SFCS = Mainframe(
    name="sfcs",
    reference_prefix="SF",
    phases=(Phase(dialogue="SF001", record="SFCS-LOAN", copybook="sfcs.cpy", counted_as="held"),),
    rules=Path(__file__).with_name("edit_rules.toml"),
)
