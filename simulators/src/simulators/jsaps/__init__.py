"""JSAPS, the Jobseeker's Allowance Payment System: a stand-in that keeps to the interface document."""

from pathlib import Path

from simulators.record_link.mainframe import Mainframe, Phase

JSAPS = Mainframe(
    name="jsaps",
    reference_prefix="JS",
    phases=(
        Phase(dialogue="ES504", record="JSAPS-ES", copybook="jsaps-es.cpy", counted_as="es_held"),
        Phase(
            dialogue="BA504",
            record="JSAPS-BA",
            copybook="jsaps-ba.cpy",
            counted_as="ba_held",
            reference_field="JB-ES-LEGACY-REF",
        ),
    ),
    rules=Path(__file__).with_name("edit_rules.toml"),
    recognises_repeat=False,
    enquiry_lag_seconds=2.0,
    withdrawal="CN504",
)
