"""The rules of evidence name facts that intake asks for, of schemes that ask for them."""

from functools import cache

import pytest

from assessment.data.evidence import EVIDENCE
from assessment.domain.evidence import Need
from intake.catalogue import CATALOGUES, load_catalogues
from intake.domain.catalogue import Catalogue


@cache
def newest() -> Catalogue:
    return load_catalogues(CATALOGUES).newest


@pytest.mark.parametrize("need", EVIDENCE.needs, ids=lambda need: need.id)
def test_every_fact_that_needs_evidence_is_asked_for_by_each_of_its_schemes(need: Need) -> None:
    catalogue = newest()

    for scheme in need.schemes:
        asked = set(catalogue.script_for((scheme,)).questions)
        assert asked & set(need.facts), scheme
    every = set(catalogue.script_for(need.schemes).questions)
    assert set(need.facts) <= every
