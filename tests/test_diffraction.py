"""Superlattice lines and the order parameters that make them."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.diffraction import find_reflections, reflection_rows, superlattice_positions
from orderparam.discovery.analyse import analyse
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise
from orderparam.powder import powder_pattern
from orderparam.tables import to_csv

STRUCTURES = Path(__file__).parents[1] / "structures"


@pytest.fixture(scope="module")
def manganite():
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/LaMnO3_221.cif"))
    return analyse(parent, read_crystal(STRUCTURES / "perovskite/LaMnO3_62.cif"))


def test_lines_lie_at_the_wave_vectors_of_order_parameters(manganite):
    lines = find_reflections(manganite)
    assert {r.is_superlattice for r in lines} == {True, False}
    for r in lines:
        # the spacing that the parent's indices give, through the strained cell
        lattice = manganite.relation.distortion.crystal().lattice
        q = np.linalg.solve(lattice, np.array(r.child_indices))
        assert 1 / np.linalg.norm(q) == pytest.approx(r.spacing, rel=1e-6)
        assert r.is_superlattice == any(index.denominator > 1 for index in r.parent_indices)
        assert bool(r.at_wave_vector_of) == r.is_superlattice


def test_a_line_goes_with_the_only_order_parameter_at_its_wave_vector(manganite):
    """X5+ is alone at X: to first order its lines are its own; what is left is of higher order in the others."""
    strong = [r for r in find_reflections(manganite) if r.at_wave_vector_of == ("X5+",) and r.intensity > 1]
    assert len(strong) > 3
    for r in strong:
        assert r.shares["X5+"] > 0.9
        assert Fraction(1, 2) in {abs(index) % 1 for index in r.parent_indices}


def test_the_parents_own_lines_stay(manganite):
    """Negative control: no order parameter carries most of a strong fundamental line."""
    strong = [r for r in find_reflections(manganite) if not r.is_superlattice and r.intensity > 20]
    assert strong
    assert all(abs(share) < 0.7 for r in strong for share in r.shares.values())


def test_positions_and_rows(manganite):
    positions = superlattice_positions(manganite)
    assert positions["R4+"] == [("1/2", "1/2", "1/2")]
    assert all(len(arms) == 1 for arms in positions.values())
    text = to_csv(reflection_rows(find_reflections(manganite, largest=40.0)))
    assert text.splitlines()[0].startswith("two_theta,d,intensity,child_hkl,parent_hkl,superlattice,k_of,share R4+")


PATTERNS = ["perovskite/LaMnO3_62", "quartz/SiO2_154", "manganite/YMnO3_185", "fluorite/ZrO2_14", "elements/In_139"]


@pytest.mark.parametrize("name", [*PATTERNS, "mixed"])
def test_powder_lines_are_those_of_pymatgen(name):
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    crystal = read_crystal(STRUCTURES / f"{PATTERNS[0] if name == 'mixed' else name}.cif")
    if name == "mixed":
        crystal = replace(crystal, species=tuple("Ca0.25La0.75" if s == "La" else s for s in crystal.species))
    expected = XRDCalculator(wavelength=1.54184).get_pattern(crystal.to_pymatgen(), scaled=False)
    found = powder_pattern(crystal)
    assert len(found) == len(expected.x)
    assert [p.two_theta for p in found] == pytest.approx(list(expected.x), abs=1e-6)
    assert [p.intensity for p in found] == pytest.approx(list(expected.y), rel=1e-9)
    assert [p.spacing for p in found] == pytest.approx(list(expected.d_hkls))
    for peak, families in zip(found, expected.hkls, strict=True):
        own = {tuple(sorted(map(abs, hkl))) for hkl in peak.indices}
        assert len(own) == len(peak.indices)
        if name not in ("quartz/SiO2_154", "manganite/YMnO3_185"):  # four indices there
            assert own == {tuple(sorted(map(abs, f["hkl"]))) for f in families}


def test_an_element_without_form_factor_is_named():
    crystal = read_crystal(STRUCTURES / "elements/In_139.cif")
    with pytest.raises(InvalidInputError, match="no X-ray form factor of Lr"):
        powder_pattern(replace(crystal, species=("Lr",) * crystal.n_sites))
