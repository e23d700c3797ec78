"""Error bars against a Monte Carlo of the same CIF with its coordinates drawn anew."""

import re
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.uncertainties import number_with_uncertainty
from orderparam.discovery.analyse import analyse
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise

# La(1) at x,y,1/4; O at a general position and on the mirror: LaMnO3 in Pbnm, rounded, with made-up uncertainties
CHILD = """data_child
_cell_length_a 5.536(2)
_cell_length_b 5.747(3)
_cell_length_c 7.693(4)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P b n m'
loop_
_symmetry_equiv_pos_as_xyz
x,y,z
-x,-y,z+1/2
-x+1/2,y+1/2,-z+1/2
x+1/2,-y+1/2,-z
-x,-y,-z
x,y,-z+1/2
x+1/2,-y+1/2,z+1/2
-x+1/2,y+1/2,z
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
La1 La 0.9937(8) 0.0435(7) 0.25 1.0
Mn1 Mn 0.5 0 0 1.0
O1 O 0.0733(11) 0.4893(9) 0.25 1.0
O2 O 0.7257(6) 0.3014(8) 0.0389(5) 1.0
"""
PARENT = Path(__file__).parents[2] / "structures/perovskite/LaMnO3_221.cif"


def drawn(text: str, rng: np.random.Generator) -> str:
    """Return the CIF with every uncertain number drawn from its distribution, without brackets."""

    def draw(found: re.Match[str]) -> str:
        value, sigma = number_with_uncertainty(found.group())
        return f"{rng.normal(value, sigma):.8f}"

    return re.sub(r"(?<= )[0-9.]+\(\d+\)", draw, text)


def test_errors_are_those_of_a_monte_carlo(tmp_path):
    parent = symmetrise(read_crystal(PARENT))
    (tmp_path / "child.cif").write_text(CHILD)
    analysis = analyse(parent, read_crystal(tmp_path / "child.cif"))
    errors = analysis.errors
    assert errors is not None
    assert errors.source == "file"
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {}
    for _ in range(120):
        (tmp_path / "drawn.cif").write_text(drawn(CHILD, rng))
        again = analyse(parent, read_crystal(tmp_path / "drawn.cif"))
        assert again.errors is None
        for o in again.decomposition.displacive:
            found.setdefault(o.label, []).append(o.amplitude_supercell)
        for o in again.decomposition.strain:
            found.setdefault(f"strain {o.label}", []).append(o.amplitude)
    for label, error in errors.amplitudes.items():
        # the standard deviation of 120 draws errs by 6.5 %
        assert np.std(found[label]) == pytest.approx(error, rel=0.26), label
    strains = {o.label: o.amplitude for o in analysis.decomposition.strain}
    for label, error in errors.strain.items():
        if strains[label] > 4 * error:  # else the absolute value is no Gaussian
            assert np.std(found[f"strain {label}"]) == pytest.approx(error, rel=0.26), label


PYRITE = """data_pyrite
_cell_length_a 5.4
_cell_length_b 5.4
_cell_length_c 5.4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 Fe 0 0 0
S1 S {x} {x} {x}
"""


def test_coordinates_tied_by_a_special_position_err_together(tmp_path):
    """Pyrite's sulphur at x,x,x is one parameter, though the file gives three numbers: dA = sqrt(8) sqrt(3) a dx."""
    (tmp_path / "parent.cif").write_text(PYRITE.format(group="F m -3 m", x="0.25"))
    (tmp_path / "child.cif").write_text(PYRITE.format(group="P a -3", x="0.280(2)"))
    analysis = analyse(symmetrise(read_crystal(tmp_path / "parent.cif")), read_crystal(tmp_path / "child.cif"))
    assert analysis.relation.distortion.group.space_group[0] == 205
    assert analysis.errors is not None
    moved = [o.label for o in analysis.decomposition.displacive if not o.is_zero]
    assert len(moved) == 1
    assert analysis.errors.amplitudes[moved[0]] == pytest.approx(np.sqrt(24) * 5.4 * 0.002, rel=1e-6)


def test_a_file_without_uncertainties_has_no_error_bars():
    parent = symmetrise(read_crystal(PARENT))
    child = read_crystal(PARENT.parent / "LaMnO3_62.cif")
    assert child.uncertainties is None
    assert analyse(parent, child).errors is None


def test_noise_is_the_error_of_every_amplitude():
    parent = symmetrise(read_crystal(PARENT))
    child = read_crystal(PARENT.parent / "LaMnO3_62.cif")
    analysis = analyse(parent, child, noise=0.01)
    assert analysis.errors is not None
    # the file keeps Pnma: 57 coordinates follow 7, and err together
    (error,) = set(analysis.errors.amplitudes.values())
    assert error == pytest.approx(0.01 * np.sqrt(57 / 7))
    shaken = np.random.default_rng(0).normal(0, 0.01, (20, 3)) @ np.linalg.inv(child.lattice)
    analysis = analyse(parent, Crystal(child.lattice, child.positions + shaken, child.species), noise=0.01)
    assert set(analysis.errors.amplitudes.values()) == {0.01}


@pytest.mark.parametrize("text", ["0.1234(5", "0.12(a)", "0.1.2(3)", "x", "0.12()", "1.5(2)e-1", ".", "?"])
def test_unparsable_numbers_are_refused_by_name(text):
    with pytest.raises(InvalidInputError, match=r"O1 x: expected a number such as 0\.1234\(5\), received"):
        number_with_uncertainty(text, "O1 x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.25", (0.25, 0)), ("-.5(1)", (-0.5, 0.1)), ("12(3)", (12, 3)), ("1.5e-1(2)", (0.15, 0.02))],
)
def test_numbers_with_uncertainty(text, expected):
    assert number_with_uncertainty(text) == pytest.approx(expected)
