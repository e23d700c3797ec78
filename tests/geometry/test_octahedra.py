"""Which parents have octahedra that share corners, found without knowing one element from another."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.geometry.carried import carry
from orderparam.geometry.network import find_octahedra
from orderparam.parent import symmetrise
from orderparam.supercell import Supercell
from orderparam.testing import scramble
from tests.geometry.tilted import perovskite

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = json.loads((STRUCTURES.parent / "tests/tables/pairs.json").read_text())
FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def crystal(edges, *sites):
    """Return a crystal from (species, fractional positions) with an orthogonal cell."""
    positions = np.concatenate([np.atleast_2d(places) for _, places in sites])
    species = tuple(kind for kind, places in sites for _ in np.atleast_2d(places))
    return Crystal(np.diag(edges), positions, species)


def cubic_double_perovskite():
    arms = np.concatenate([s * np.eye(3) * 0.24 for s in (1, -1)])
    return crystal(
        [7.9] * 3,
        ("Ni", FCC),
        ("W", FCC + 0.5),
        ("Sr", np.concatenate([FCC + 0.25, FCC + 0.75])),
        ("O", (FCC[:, None] + arms).reshape(-1, 3)),
    )


def vacancy_ordered():
    """Return the K2PtCl6 structure: octahedra that touch nothing."""
    arms = np.concatenate([s * np.eye(3) * 0.24 for s in (1, -1)])
    holes = np.concatenate([FCC + 0.25, FCC + 0.75])
    return crystal([9.7] * 3, ("Pt", FCC), ("K", holes), ("Cl", (FCC[:, None] + arms).reshape(-1, 3)))


@pytest.mark.parametrize(
    ("folder", "dimension", "n_octahedra"),
    [
        ("perovskite/SrTiO3_221", 3, 1),
        ("reo3/WO3_221", 3, 1),
        ("ferroelectric/LiNbO3_167", 3, 2),
        ("ruddlesden_popper/La2CoO4_139", 2, 1),
        ("ruddlesden_popper/Ca3Ti2O7_139", 2, 2),
        ("ruddlesden_popper/La3Ni2O7_139", 2, 2),
    ],
)
def test_networks_of_corners(folder, dimension, n_octahedra):
    network = find_octahedra(symmetrise(read_crystal(STRUCTURES / f"{folder}.cif")))
    assert (network.dimension, len(network.centres), network.reason) == (dimension, n_octahedra, "")


def test_two_kinds_of_centres_make_one_network():
    network = find_octahedra(symmetrise(cubic_double_perovskite(), origin="Ni"))
    assert len(network.centres) == 2
    assert network.dimension == 3
    assert network.is_aligned
    assert len(network.links) == 6


def test_octahedra_that_touch_nothing():
    network = find_octahedra(symmetrise(vacancy_ordered()))
    assert (len(network.centres), network.dimension, len(network.links)) == (1, 0, 0)


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("rutile/VO2_136", "share edges, not corners only"),
        ("spinel/Mn3O4_227", "share edges, not corners only"),
        ("manganite/YMnO3_194", "share edges, not corners only"),
        ("quartz/SiO2_180", "no site of the parent has six nearest neighbours"),
        ("fluorite/ZrO2_225", "no site of the parent has six nearest neighbours"),
        ("elements/Po_221", "centres that are ligands of others"),
        ("martensite/AuCd_221", "no site of the parent has six nearest neighbours"),
    ],
)
def test_parents_without_such_a_network_say_why(folder, reason):
    network = find_octahedra(symmetrise(read_crystal(STRUCTURES / f"{folder}.cif")))
    assert len(network.centres) == 0
    assert reason in network.reason


def test_rock_salt_shares_edges():
    salt = crystal([5.6] * 3, ("Na", FCC), ("Cl", FCC + 0.5))
    assert "share edges" in find_octahedra(symmetrise(salt)).reason


@pytest.mark.parametrize("species", [("C", "Sn", "Mn"), ("O", "Ti", "Sr"), ("Au", "He", "U"), ("N", "Ca", "Ca")])
def test_elements_do_not_matter(species):
    """An antiperovskite (Mn3SnC), a perovskite with its names permuted, and nonsense have the same network."""
    network = find_octahedra(symmetrise(perovskite(species), origin=species[0]))
    centre = network.centres[0]
    assert network.parent.crystal.species[centre] == species[0]
    assert len(network.centres) == 1
    assert network.dimension == 3


@pytest.mark.parametrize("seed", range(3))
def test_the_network_does_not_depend_on_how_the_parent_is_written(seed):
    rng = np.random.default_rng(seed)
    for source in (perovskite(), cubic_double_perovskite()):
        here = find_octahedra(symmetrise(source, origin=source.species[0]))
        there = find_octahedra(symmetrise(scramble(source, rng), origin=source.species[0]))
        assert len(here.centres) == len(there.centres)
        assert len(here.links) == len(there.links)
        assert here.is_aligned
        assert there.is_aligned


def test_every_ligand_is_where_its_octahedron_says():
    """Through the supercell: the reference vectors are differences of positions, the links meet at one atom."""
    for pair in PAIRS:
        network = find_octahedra(symmetrise(read_crystal(STRUCTURES / pair["parent"])))
        if not len(network.centres):
            continue
        supercell = Supercell.build(network.parent, np.array([[2, 0, 0], [0, 1, 1], [0, 0, 3]]))
        octahedra = carry(network, _undistorted(supercell))
        places = supercell.positions @ supercell.lattice
        gaps = places[octahedra.ligands] - places[octahedra.centres][:, None] - octahedra.reference
        turns = gaps @ np.linalg.inv(supercell.lattice)
        np.testing.assert_allclose(turns, np.rint(turns), atol=1e-9)
        np.testing.assert_allclose(octahedra.rotation_vectors, 0, atol=1e-6)
        i, j, a, b = octahedra.links.T
        assert (octahedra.ligands[i, a] == octahedra.ligands[j, b]).all()
        assert len(octahedra.links) == len(network.links) * supercell.n_cells


def _undistorted(supercell):
    from orderparam.distortion import Distortion
    from orderparam.symmetry.isotropy import whole_group

    return Distortion(supercell, np.zeros((supercell.n_atoms, 3)), np.zeros((3, 3)), whole_group(supercell))


def test_a_long_octahedron_is_one_and_a_square_is_not():
    """La2CuO4 has bonds of 1.9 and 2.4 angstrom; with the apex at 3.1 four bonds are left, not six."""
    source = read_crystal(STRUCTURES / "ruddlesden_popper/La2CoO4_139.cif")
    parent = symmetrise(source)
    network = find_octahedra(parent)
    ligands = {parent.crystal.labels[s] for s in network.ligands[0]}
    apical = [n for n in ligands if n not in {parent.crystal.labels[network.ligands[0, 0]]}]
    assert len(ligands) == 2
    assert len(apical) == 1
    site = np.array([label == apical[0] for label in source.labels])
    for height, n_octahedra in ((2.35, 1), (3.1, 0)):
        positions = source.positions.copy()
        z = positions[site, 2] - np.rint(positions[site, 2] * 2) / 2  # from the nearest layer of Co
        positions[site, 2] += np.sign(z) * height / source.lattice[2, 2] - z
        found = find_octahedra(symmetrise(replace(source, positions=positions)))
        assert len(found.centres) == n_octahedra
