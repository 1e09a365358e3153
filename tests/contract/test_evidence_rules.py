"""The rules of evidence name facts that intake asks for, of schemes that ask for them."""

import pytest

from assessment.data.evidence import EVIDENCE
from assessment.domain.evidence import Need
from intake.catalogue import CATALOGUES, load_catalogues


@pytest.mark.parametrize("need", EVIDENCE.needs, ids=lambda need: need.id)
def test_every_fact_that_needs_evidence_is_asked_for_by_each_of_its_schemes(need: Need) -> None:
    catalogue = load_catalogues(CATALOGUES).newest

    for scheme in need.schemes:
        asked = set(catalogue.script_for((scheme,)).questions)
        assert asked & set(need.facts), scheme
    every = set(catalogue.script_for(need.schemes).questions)
    assert set(need.facts) <= every
