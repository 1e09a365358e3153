"""The names of the schemes, as they are said and printed."""

from chassis.errors import Text

SCHEMES = {
    "INCOME_SUPPORT": Text(en="Income Support", cy="Cymhorthdal Incwm"),
    "JOBSEEKERS_ALLOWANCE": Text(en="Jobseeker's Allowance", cy="Lwfans Ceisio Gwaith"),
    "INCAPACITY_BENEFIT": Text(en="Incapacity Benefit", cy="Budd-dal Analluogrwydd"),
    "CHILD_MAINTENANCE": Text(en="Child maintenance", cy="Cynhaliaeth plant"),
    "CRISIS_LOAN": Text(en="Crisis Loan (Social Fund)", cy="Benthyciad Argyfwng (Cronfa Gymdeithasol)"),
}


def with_scheme(text: Text, scheme: str, **values: object) -> Text:
    """A text with the name of a scheme in its own language."""
    name = SCHEMES.get(scheme, Text(en=scheme, cy=scheme))
    return Text(en=text.en.format(scheme=name.en, **values), cy=text.cy.format(scheme=name.cy, **values))
