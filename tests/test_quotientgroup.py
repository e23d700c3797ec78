"""Subgroups of G / T_S: many joins at a time against one at a time (Schreier against Dimino), and group axioms."""

import numpy as np
import pytest

import orderparam.quotientgroup
from orderparam.quotientgroup import GeneratedGroup, QuotientGroup
from tests.builders import random_parent

CASES = [
    (225, np.diag([2, 2, 2])),
    (221, np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 2]])),
    (227, np.diag([1, 1, 2])),
    (194, np.array([[2, 1, 0], [-1, 1, 0], [0, 0, 2]])),
    (152, np.diag([3, 1, 2])),
    (62, np.diag([2, 1, 3])),
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: str(case[0]))
def group(request) -> QuotientGroup:
    number, matrix = request.param
    parent = next(p for s in range(20) if (p := random_parent(number, np.random.default_rng(s))) is not None)
    return QuotientGroup(parent, matrix)


def some_subgroups(group: QuotientGroup) -> list[GeneratedGroup]:
    """Return small subgroups, translations among them, normal or not."""
    rng = np.random.default_rng(1)
    found = [group.trivial(), group.translation_subgroup(np.diag([1, 1, 2]) @ group.supercell.matrix)]
    found.append(group.generate(np.array([rng.integers(group.supercell.n_cells)])))
    found += [group.generate(rng.integers(group.order, size=n)) for n in (1, 1, 2)]
    return [g for g in found if g.order < group.order]


def test_joins_at_once_are_joins_one_by_one(group):
    elements = np.random.default_rng(2).permutation(group.order)[:60]
    for own in some_subgroups(group):
        joined = {g.generators[-1]: g for g in group.joins(own, elements)}
        assert sorted(joined) == sorted(elements)
        for element, found in joined.items():
            assert found.key == group.join(own, int(element)).key
            assert found.contains(own)
            assert found.elements[element]


def test_joins_in_small_batches(group, monkeypatch):
    """The size of a batch changes nothing, down to one element at a time."""
    elements, own = np.arange(0, group.order, 3), some_subgroups(group)[-1]
    whole = [g.key for g in group.joins(own, elements)]
    for at_once in (1, 7):
        monkeypatch.setattr(orderparam.quotientgroup, "LARGEST_BATCH", at_once * group.order)
        assert [g.key for g in group.joins(own, elements)] == whole


def test_one_element_of_a_coset_gives_all_joins(group):
    everything = np.ones(group.order, bool)
    for own in some_subgroups(group):
        chosen = group.coset_representatives(own, everything)
        assert len(chosen) == group.order // own.order - 1
        few, many = (
            {g.key for g in group.joins(own, some)} for some in (chosen, np.flatnonzero(everything & ~own.elements))
        )
        assert few == many


def test_products_are_those_of_the_space_group(group):
    """{W|w}{V|v} = {WV|Wv + w}, modulo the supercell; the products are associative."""
    space, supercell = group.supercell.parent.group, group.supercell
    rng = np.random.default_rng(3)
    one, two, three = rng.integers(group.order, size=(3, 200))
    rotations = space.rotations[np.arange(group.order) // supercell.n_cells]
    shifts = np.repeat(space.translation_parts, supercell.n_cells, axis=0)
    shifts = shifts + np.tile(supercell.translations, (space.order, 1))
    found = group.product(one, two)
    assert (rotations[found] == rotations[one] @ rotations[two]).all()
    moved = np.einsum("nij,nj->ni", rotations[one], shifts[two]) + shifts[one] - shifts[found]
    assert np.allclose(moved, np.rint(moved), atol=1e-9)
    assert not supercell.quotient.index(np.rint(moved).astype(int)).any()
    assert (group.product(group.product(one, two), three) == group.product(one, group.product(two, three))).all()
