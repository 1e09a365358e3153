"""For tests: an application that is right."""

from typing import Any

from simulators.testing import CLAIM_REF, NINO, transfer_id


def good_application(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An application under the transfer id of this number, with these fields changed."""
    return {
        "transfer_id": transfer_id(number),
        "claim_ref": CLAIM_REF,
        "applicant": {
            "nino": NINO,
            "title": "Ms",
            "surname": "O’Brien-Łukasz",
            "forenames": "Siân",
            "date_of_birth": "1980-02-29",
            "address": ["1 High St", "Leeds"],
            "postcode": "LS1 4AP",
            "telephone": "",
            "language": "CY",
        },
        "other_parent": {"surname": "Grant", "forenames": "Darren"},
        "role": "PARENT_WITH_CARE",
        "children": [{"name": "Ellie", "date_of_birth": "1998-02-28", "nights_per_year": 52}],
        "arrangement": "COURT_ORDER",
        "opening_arrears": "350.00",
        "arrears_as_at": "2005-06-30",
        "safe_contact": True,
        "bank": {"sort_code": "123456", "account_number": "87654321", "account_name": "S O’Brien"},
    } | changes
