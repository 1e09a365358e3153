"""ISCS, the Income Support Computer System: a stand-in that keeps to the interface document."""

from pathlib import Path

from simulators.record_link.mainframe import Mainframe, Phase

ISCS = Mainframe(
    name="iscs",
    reference_prefix="IS",
    phases=(Phase(dialogue="IS001", record="ISCS-CLAIM", copybook="iscs.cpy", counted_as="held"),),
    rules=Path(__file__).with_name("edit_rules.toml"),
)
