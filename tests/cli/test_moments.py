"""Magnetic moments are left out, beside partial occupancy too, and their sites are named."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Species, Structure
from pymatgen.io.cif import CifWriter

from orderparam.crystals.moments import NAMED, SMALLEST_MOMENT, moments_left_out
from orderparam.crystals.reading import read_crystal
from orderparam.errors import InvalidInputError
from orderparam.spacegroup import report_symmetry

STRUCTURES = Path(__file__).parents[2] / "structures"
PLACES = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
MCIF = """data_test
_cell_length_a 3.9
_cell_length_b 3.9
_cell_length_c 7.8
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_parent_space_group.name_H-M_alt 'P m -3 m'
_space_group_magn.number_BNS 2.7
_space_group_magn.name_BNS "P_S-1"
loop_
_space_group_symop_magn_operation.id
_space_group_symop_magn_operation.xyz
1 x,y,z,+1
2 -x,-y,-z,+1
loop_
_space_group_symop_magn_centering.id
_space_group_symop_magn_centering.xyz
1 x,y,z,+1
2 x,y,z+1/2,-1
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
La1 La 0 0 0 0.7
Sr1 Sr 0 0 0 0.3
Mn1 Mn 0.5 0.5 0.25 0.5
Fe1 Fe 0.5 0.5 0.25 0.5
O1 O 0.5 0.5 0 1
O2 O 0.5 0 0.25 1
O3 O 0 0.5 0.25 1
loop_
_atom_site_moment.label
_atom_site_moment.crystalaxis_x
_atom_site_moment.crystalaxis_y
_atom_site_moment.crystalaxis_z
Mn1 0 0 3.5(2)
Fe1 0 0 -3.0
O1 0 0 0
"""


def structure(**properties):
    species = [{"La": 0.7, "Sr": 0.3}, "Mn", "O", "O", "O"]
    return Structure(Lattice.cubic(3.9), species, PLACES, site_properties=properties)


def written(folder, kind):
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind}.json"
    if kind == "property":
        structure(magmom=[0, 3.5, 0, 0, 0]).to(filename=str(path))
    elif kind == "vectors":
        structure(magmom=[None, [0, 0, -3.5], None, None, None]).to(filename=str(path))
    elif kind == "spins":
        mixed = {Species("Mn", 3, spin=4): 0.7, Species("Mn", 4, spin=3): 0.3}
        Structure(Lattice.cubic(3.9), [{"La": 0.7, "Sr": 0.3}, mixed, "O", "O", "O"], PLACES).to(filename=str(path))
    else:
        path = folder / f"{kind}.mcif"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            CifWriter(structure(magmom=[0, 3.5, 0, 0, 0]), write_magmoms=True).write_file(str(path))
    return path


@pytest.mark.parametrize("kind", ["property", "vectors", "spins", "pymatgens_mcif"])
def test_moments_beside_partial_occupancy(program, tmp_path, kind):
    path = written(tmp_path, kind)
    crystal = read_crystal(path)
    assert crystal.formula == "(La0.7Sr0.3)MnO3"
    assert report_symmetry(crystal, 1e-3).number == 221
    (note,) = (note for note in crystal.notes if "moments" in note)
    assert note.startswith("magnetic moments (on Mn")
    for command in (["symmetry", path], ["modes", path, path]):
        outcome = program(*command)
        assert outcome.code == 0
        assert f"warning: {note}" in outcome.err


def test_a_magnetic_cif_with_mixed_sites(program, tmp_path):
    """Operations and centring with time reversal act on the atoms without it: an antiferromagnet, doubled along c."""
    path = tmp_path / "mixed.mcif"
    path.write_text(MCIF)
    crystal = read_crystal(path)
    assert crystal.name == str(path)
    assert crystal.n_sites == 10
    assert sorted(set(crystal.species)) == ["Fe0.5Mn0.5", "La0.7Sr0.3", "O"]
    assert report_symmetry(crystal, 1e-3).number == 221  # the atoms repeat within the magnetic cell
    assert crystal.notes == ("magnetic moments (on Mn1, Fe1) are left out: what follows is about the atoms alone",)
    parent = STRUCTURES / "perovskite/SrTiO3_221.cif"
    outcome = program("modes", parent, path)
    assert "differ in composition" in outcome.err  # read, and compared


def test_an_ordered_magnetic_cif_is_what_pymatgen_reads(tmp_path):
    """A second opinion: pymatgen reads it with its moments where no site is mixed."""
    path = tmp_path / "ordered.mcif"
    ordered = MCIF.replace("La1 La 0 0 0 0.7\nSr1 Sr 0 0 0 0.3", "La1 La 0 0.1 0.02 1")
    path.write_text(ordered.replace("Mn 0.5 0.5 0.25 0.5", "Mn 0.5 0.5 0.25 1").replace("Fe1 Fe 0.5 0.5 0.25 0.5\n", "")
                    .replace("Fe1 0 0 -3.0\n", ""))  # fmt: skip
    crystal = read_crystal(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Structure.from_file(path, primitive=False)
    assert sorted(crystal.species) == sorted(site.specie.symbol for site in theirs)
    for kind in set(crystal.species):
        mine = crystal.positions[[s == kind for s in crystal.species]]
        other = np.array([site.frac_coords for site in theirs if site.specie.symbol == kind])
        gaps = mine[:, None] - other
        assert np.abs(gaps - np.rint(gaps)).max(axis=2).min(axis=1).max() < 1e-6


def test_a_cif_without_moments_is_left_as_it_is():
    assert read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif").notes == ()


def test_an_error_names_the_file(tmp_path):
    path = tmp_path / "broken.mcif"
    path.write_text(MCIF.replace("O2 O 0.5 0 0.25 1", "O2 O 0.5 0.5 0.26 1"))
    with pytest.raises(InvalidInputError) as problem:
        read_crystal(path)
    assert str(problem.value).startswith(f"{path}")


@pytest.mark.parametrize(("size", "named"), [(0.9 * SMALLEST_MOMENT, False), (1.1 * SMALLEST_MOMENT, True)])
def test_moments_that_count(tmp_path, size, named):
    path = tmp_path / "a.json"
    structure(magmom=[0, size, 0, 0, 0]).to(filename=str(path))
    assert bool(read_crystal(path).notes) == named


@pytest.mark.parametrize(
    ("n", "end"), [(NAMED, "Mn6)"), (NAMED + 1, "Mn6 and 1 other site)"), (9, "and 3 other sites)")]
)
def test_many_sites_are_counted(n, end):
    (note,) = moments_left_out(f"Mn{i}" for i in range(1, n + 1))
    assert end in note
