"""Isotropy subgroups that are printed in the literature, and spglib and moyopy on built structures."""

import moyopy
import numpy as np
import pytest

from orderparam.distort import distort
from orderparam.errors import InvalidInputError
from orderparam.invariants import find_couplings
from orderparam.parent import abstract_parent
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.fieldcarriers import DISPLACEMENT, field_carriers
from orderparam.symmetry.parentirreps import named_irrep, special_irreps
from orderparam.symmetry.strata import find_directions
from tests.builders import random_parent

# Parent, irrep: subgroup and cell multiplication of its directions. Stokes & Hatch, Isotropy Subgroups of the 230
# Crystallographic Space Groups (World Scientific, 1988), and where the same stands in journals:
# a: Stokes, Kisi, Hatch & Howard, Acta Cryst. B58, 934 (2002), ferroelectric perovskites
# b: Howard, Kennedy & Woodward, Acta Cryst. B59, 463 (2003), ordered double perovskites
# c: Benedek & Fennie, Phys. Rev. Lett. 106, 107204 (2011), Ca3Mn2O7
# d: Fennie & Rabe, Phys. Rev. B 72, 100103 (2005), YMnO3 (P6_3cm); P-3c1 and P3c1 are the other two of K3
# e: species of ferroelectric and ferroelastic transitions, Aizu, J. Phys. Soc. Jpn. 27, 387 (1969)
PUBLISHED = {
    (221, "GM4-"): {(99, 1), (38, 1), (160, 1), (6, 1), (8, 1), (1, 1)},  # a
    (221, "GM3+"): {(123, 1), (47, 1)},  # e
    (221, "GM5+"): {(65, 1), (166, 1), (12, 1), (2, 1)},  # e
    (225, "GM4-"): {(107, 1), (44, 1), (160, 1), (8, 1), (1, 1)},  # e
    (225, "GM4+"): {(87, 1), (12, 1), (148, 1), (2, 1)},  # b
    (225, "X3+"): {(128, 2), (134, 4), (201, 4), (48, 4)},  # b
    (225, "GM3+"): {(139, 1), (69, 1)},  # e
    (191, "GM2-"): {(183, 1)},  # e
    (191, "GM5+"): {(65, 1), (10, 1)},  # e
    (191, "GM6-"): {(38, 1), (6, 1)},  # e
    (194, "K3"): {(185, 3), (165, 3), (158, 3)},  # d
    (166, "GM2-"): {(160, 1)},  # e
    (166, "GM3-"): {(5, 1), (8, 1), (1, 1)},  # e
    (166, "GM3+"): {(12, 1), (2, 1)},  # e
    (139, "X3-"): {(63, 2), (136, 4), (58, 4)},  # c: Cmcm
    (139, "X2+"): {(64, 2), (127, 4), (55, 4)},  # c: Cmce
}


@pytest.mark.parametrize(("number", "label"), PUBLISHED)
def test_published_subgroups(number, label):
    parent = abstract_parent(number)
    found = {(d.subgroup.space_group[0], d.size) for d in find_directions(parent, [named_irrep(parent, label)])}
    assert found == PUBLISHED[number, label]


def test_tilts_of_double_perovskites():
    """X3+ and GM4+ of Fm-3m reach the eleven tilted groups of Howard, Kennedy & Woodward (2003), table 1."""
    parent = abstract_parent(225)
    x, g = named_irrep(parent, "X3+"), named_irrep(parent, "GM4+")
    found = {d.subgroup.space_group[0] for members in ([x], [g], [x, g]) for d in find_directions(parent, members)}
    published = {128, 134, 201, 48, 86, 87, 12, 148, 15, 14, 2}
    assert published <= found
    assert found - published == {83, 13}  # + and - tilts about one axis, which they leave out


def test_hybrid_improper_ferroelectricity():
    """X3- and X2+ of I4/mmm together give Cmc2_1, and GM5- by a trilinear term (Benedek & Fennie 2011)."""
    parent = abstract_parent(139)
    irreps = [named_irrep(parent, "X3-"), named_irrep(parent, "X2+")]
    assert 36 in {d.subgroup.space_group[0] for d in find_directions(parent, irreps)}
    polar = next(c for c in find_couplings(parent, irreps, 4) if c.secondary.label == "GM5-")
    assert polar.degree == 3
    (term,) = polar.polynomials
    assert (np.add.reduceat(term.exponents, [0, 2, 4], axis=1) == 1).all()


FEW = (14, 62, 141, 166, 205, 221)
MORE = (2, 63, 74, 87, 129, 136, 148, 160, 176, 187, 194, 216, 225)


@pytest.mark.parametrize("number", [*FEW, *(pytest.param(n, marks=pytest.mark.slow) for n in MORE)])
def test_three_opinions_on_built_structures(number):
    """Operations by spglib, structures by spglib and moyopy: one space group. Free letters are generic."""
    rng = np.random.default_rng(number)
    parent = None
    while parent is None:
        parent = random_parent(number, rng)
    carried = [i for i in special_irreps(parent) if field_carriers(parent, i, DISPLACEMENT) and not i.is_identity]
    n = 0
    for irrep in rng.permutation(np.array(carried, object))[:3]:
        for direction in find_directions(parent, [irrep])[:4]:
            try:
                made = distort(parent, {irrep.label: 0.4 * direction.components()[0]})
            except InvalidInputError:
                continue  # a uniform translation only
            crystal = made.crystal()
            expected = direction.subgroup.space_group[0]
            cell = moyopy.Cell(crystal.lattice.tolist(), crystal.positions.tolist(), crystal.kinds.tolist())
            assert made.group.space_group[0] == expected
            assert made.supercell.n_cells == direction.size
            assert report_symmetry(crystal, 1e-5).number == expected
            assert moyopy.MoyoDataset(cell, symprec=1e-4).number == expected
            n += 1
    assert n > 0
