"""The offices that are measured in one step."""

from scheduling.data import load_assessors, load_offices
from scheduling.domain.directory import Directory
from scheduling.service.watch import AT_ONCE, near_each_other

DIRECTORY = Directory(load_offices(), load_assessors())
EVERY = [office.code for office in load_offices()]


def test_a_step_has_the_offices_near_the_first_one() -> None:
    found = near_each_other(DIRECTORY, EVERY)

    near = [one.office.code for one in DIRECTORY.near_office(EVERY[0])]
    assert found[: len(near)] == near[:AT_ONCE]
    assert len(set(found)) == AT_ONCE


def test_every_office_has_its_step() -> None:
    left, steps = EVERY, 0
    while left:
        done = near_each_other(DIRECTORY, left)
        left = [code for code in left if code not in done]
        steps += 1

    assert steps == -(-len(EVERY) // AT_ONCE)
