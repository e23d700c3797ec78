"""Solid solutions, deuterium and charges."""

from pathlib import Path

import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.errors import InvalidInputError, MatchingError
from orderparam.parent import symmetrise
from orderparam.report.files import write_analysis

HEAD = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
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
_atom_site_occupancy
"""
PARENT = HEAD.format(name="parent", a=3.9, c=3.9, group="P m -3 m")
TILTED = HEAD.format(name="tilted", a=5.48, c=7.84, group="I 4/m c m")


def write_pair(folder: Path, site: str, other: str, *, oxygen: str = "O") -> Analysis:
    """Analyse an I4/mcm perovskite whose A site holds `other` against a parent whose A site holds `site`."""
    (folder / "parent.cif").write_text(
        PARENT + f"{site}\nTi1 Ti 0 0 0 1\nO1 {oxygen} 0.5 0 0 1\n".replace("XYZ", "0.5 0.5 0.5")
    )
    rows = f"{other}\nTi1 Ti 0 0 0 1\nO1 {oxygen} 0 0 0.25 1\nO2 {oxygen} 0.23 0.73 0 1\n".replace("XYZ", "0 0.5 0.25")
    (folder / "child.cif").write_text(TILTED + rows)
    return analyse(symmetrise(read_crystal(folder / "parent.cif")), read_crystal(folder / "child.cif"))


def mixture(*amounts: tuple[str, float]) -> str:
    return "\n".join(f"{symbol}1 {symbol} XYZ {amount}" for symbol, amount in amounts)


def test_the_same_mixture_on_matching_sites(tmp_path):
    both = mixture(("Ca", 0.5), ("Sr", 0.5))
    analysis = write_pair(tmp_path, both, both)
    assert [m.label for m in analysis.primary_members] == ["R4+"]
    assert not analysis.warnings


def test_slightly_different_mixtures_are_a_warning_with_numbers(tmp_path):
    analysis = write_pair(tmp_path, mixture(("Ca", 0.5), ("Sr", 0.5)), mixture(("Ca", 0.53), ("Sr", 0.47)))
    assert [m.label for m in analysis.primary_members] == ["R4+"]
    assert "(Ca0.53Sr0.47) of the child is taken for (Ca0.5Sr0.5) of the parent" in analysis.warnings[0]
    assert "0.03" in analysis.warnings[0]


def test_a_slightly_empty_site_is_a_warning(tmp_path):
    analysis = write_pair(tmp_path, mixture(("Sr", 1.0)), mixture(("Sr", 0.96)))
    assert "occupancies differ by up to 0.04" in analysis.warnings[0]


@pytest.mark.parametrize(
    "other", [(("Ca", 0.7), ("Sr", 0.3)), (("Ca", 0.5), ("Ba", 0.5)), (("Ca", 1.0),), (("Ca", 0.4), ("Sr", 0.3))]
)
def test_other_mixtures_are_refused_by_name(tmp_path, other):
    with pytest.raises(MatchingError, match=r"parent .*Ca0\.5Sr0\.5.*child"):
        write_pair(tmp_path, mixture(("Ca", 0.5), ("Sr", 0.5)), mixture(*other))


def test_charges_are_stripped_and_deuterium_is_hydrogen(tmp_path):
    analysis = write_pair(tmp_path, mixture(("Sr", 1.0)), mixture(("Sr2+", 1.0)).replace("Sr2+1", "Sr1"))
    assert [m.label for m in analysis.primary_members] == ["R4+"]
    analysis = write_pair(tmp_path, mixture(("H", 1.0)), mixture(("D", 1.0)))
    assert analysis.relation.child.formula == "TiHO3"


@pytest.mark.parametrize("charge", ["", "1+"])
def test_a_partly_deuterated_site_is_hydrogen(tmp_path, charge):
    both = mixture(("H", 0.4), ("D", 0.6)).replace(" H ", f" H{charge} ").replace(" D ", f" D{charge} ")
    analysis = write_pair(tmp_path, mixture(("H", 1.0)), both)
    assert analysis.relation.child.formula == "TiHO3"
    assert not analysis.warnings


def test_a_poscar_has_no_occupancies(tmp_path):
    both = mixture(("Ca", 0.5), ("Sr", 0.5))
    analysis = write_pair(tmp_path, both, both)
    with pytest.raises(InvalidInputError, match=r"no occupancies.*Ca0\.5Sr0\.5"):
        write_analysis(analysis, tmp_path / "child.vasp")
    assert not (tmp_path / "child.vasp").exists()
