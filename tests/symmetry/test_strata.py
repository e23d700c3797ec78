"""Directions: theorems on every stratum, published tables, and CrystOD as a second opinion."""

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.errors import InvalidInputError
from orderparam.parent import abstract_parent, symmetrise
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.inverse import leads_to
from orderparam.symmetry.isotropy import stabiliser
from orderparam.symmetry.parentirreps import named_irrep, special_irreps
from orderparam.symmetry.strata import Direction, find_directions, kernel_lattice

GROUPS = [2, 14, 33, 62, 88, 136, 148, 166, 167, 194, 198, 205, 221, 227]
SAMPLE = {62: ["X1", "S1+S2+"], 166: ["L1+", "F2-", "T2+"], 194: ["M2-", "K5", "A3"], 221: ["R4+", "X5+", "GM4-"]}


def check(direction: Direction) -> None:
    """Check that the subgroup fixes just the subspace, has |G:H| domains and stabilises a generic vector."""
    images, basis = direction.images, direction.basis
    n = images.dimension
    assert np.allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-8)
    subgroup = direction.subgroup
    kept = images.matrices[np.unique(images.image_of[subgroup.elements])]
    projector = kept.mean(axis=0)  # a class function average over distinct images of a subgroup
    weights = np.bincount(images.image_of[subgroup.elements], minlength=len(images.matrices))
    projector = np.einsum("g,gij->ij", weights / weights.sum(), images.matrices)
    assert np.allclose(projector, basis.T @ basis, atol=1e-6)
    vector = np.random.default_rng(1).normal(size=len(basis)) @ basis
    orbit = np.unique(np.round(images.matrices @ vector, 6), axis=0)
    assert len(orbit) == subgroup.index == images.image_of.size // subgroup.order
    start = 0
    group = None
    for irrep in images.irreps:
        part = vector[start : start + irrep.dimension]
        start += irrep.dimension
        own = stabiliser(images.supercell, irrep, part[None])
        group = own if group is None else group & own
    assert group is not None
    assert (group.elements == subgroup.elements).all()
    assert start == n
    assert direction.index * 1.0 == subgroup.index


@pytest.mark.parametrize("number", [221, 166, 194, 205, 62])
def test_theorems_on_every_direction(number):
    parent = abstract_parent(number)
    n = 0
    for irrep in special_irreps(parent)[:: 3 if number == 221 else 2]:
        for direction in find_directions(parent, [irrep]):
            check(direction)
            n += 1
    assert n > 10


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 231, 7))
def test_theorems_in_many_groups(number):
    parent = abstract_parent(number)
    for irrep in special_irreps(parent):
        for direction in find_directions(parent, [irrep]):
            check(direction)


@pytest.mark.parametrize("labels", [["M3+", "R4+"], ["R4+", "GM4-"], ["X5+", "M3+"]])
def test_theorems_on_coupled_directions(labels):
    parent = abstract_parent(221)
    found = find_directions(parent, [named_irrep(parent, label) for label in labels])
    assert found
    for direction in found:
        check(direction)
        assert direction.symbol.count("|") == 1


# Howard & Stokes, Acta Cryst. B54, 782 (1998), table 1: tilt system and space group
TILTS = {
    "a+a+a+": 204, "a0b+b+": 139, "a0a0c+": 127, "a0a0c-": 140, "a0b-b-": 74,
    "a-a-a-": 167, "a+b+c+": 71, "a+a+c-": 137, "a0b+c-": 63, "a+b-b-": 62,
    "a0b-c-": 12, "a-b-b-": 15, "a+b-c-": 11, "a-b-c-": 2,
}  # fmt: skip


def test_the_fourteen_tilt_systems():
    """M3+ and R4+ of Pm-3m, without + and - tilts about one axis: just the systems of Howard and Stokes."""
    parent = abstract_parent(221)
    m, r = named_irrep(parent, "M3+"), named_irrep(parent, "R4+")
    axes = _tilt_axes(parent)
    found = []
    for members in ([m], [r], [m, r]):
        for direction in find_directions(parent, members):
            parts = dict(
                zip(
                    [i.label for i in members],
                    direction.components([1, 0.7, 0.4, 0.3, 0.2, 0.1][: direction.n_free]),
                    strict=True,
                )
            )
            plus, minus = (
                {axes[label][c] for c in np.flatnonzero(np.abs(parts.get(label, np.zeros(3))) > 1e-6)}
                for label in ("M3+", "R4+")
            )
            if not plus & minus:
                found.append(direction.subgroup.space_group[0])
    assert sorted(found) == sorted(TILTS.values())


def _tilt_axes(parent) -> dict[str, list[int]]:
    """Return about which axis each component tilts: the fourfold axis that keeps it up to a sign."""
    axes = {}
    for label in ("M3+", "R4+"):
        irrep = named_irrep(parent, label)
        own = []
        for component in range(3):
            keeps = np.abs(np.abs(irrep.matrices[:, component, component]) - 1) < 1e-6
            fourfold = [
                np.argmax(np.abs(np.diag(w)))
                for w in parent.group.rotations[keeps]
                if np.trace(w) == 1 and np.linalg.det(w) > 0
            ]
            own.append(int(np.bincount(fourfold).argmax()))
        axes[label] = own
    return axes


# Stokes & Hatch, Isotropy Subgroups of the 230 Crystallographic Space Groups (1988), Pm-3m
STOKES_HATCH = {
    "R4+": {"(a,0,0)": 140, "(a,a,0)": 74, "(a,a,a)": 167, "(a,b,0)": 12, "(a,a,b)": 15, "(a,b,c)": 2},
    "M3+": {"(a;0;0)": 127, "(a;a;0)": 139, "(a;a;a)": 204, "(a;b;c)": 71},
    "GM4-": {"(a,0,0)": 99, "(a,a,0)": 38, "(a,a,a)": 160, "(a,b,0)": 6, "(a,a,b)": 8, "(a,b,c)": 1},
}


@pytest.mark.parametrize("label", STOKES_HATCH)
def test_tabulated_isotropy_subgroups(label):
    parent = abstract_parent(221)
    found = {d.symbol: d.subgroup.space_group[0] for d in find_directions(parent, [named_irrep(parent, label)])}
    assert found == STOKES_HATCH[label]


def test_counts_of_pm3m():
    """40 irreps at the special points, 243 directions without GM1+ ... with it, as CrystOD 0.4.5 counts them."""
    parent = abstract_parent(221)
    irreps = special_irreps(parent)
    assert len(irreps) == 40
    assert sum(len(find_directions(parent, [i])) for i in irreps) == 243


def test_maximal_subgroups_have_one_parameter_here():
    parent = abstract_parent(221)
    for direction in find_directions(parent, [named_irrep(parent, "X5+")]):
        assert direction.is_maximal == (direction.n_free == 1)


def test_the_setting_is_the_subgroups(tmp_path):
    """Basis and origin bring the operations to the tabulated ones, whatever the subgroup."""
    parent = abstract_parent(225)
    for direction in find_directions(parent, [named_irrep(parent, "X2-")]):
        basis, _ = direction.setting()
        volume = abs(np.linalg.det(basis @ parent.conventional))
        primitive = volume / direction.size
        assert primitive == pytest.approx(round(primitive))
        assert round(primitive) in {1, 2, 3, 4}


def test_the_kernel_is_left_alone():
    parent = abstract_parent(227)
    for irrep in special_irreps(parent):
        lattice = kernel_lattice([irrep])
        assert np.allclose(irrep.translation_matrices(lattice), np.eye(irrep.dimension), atol=1e-9)
        half = np.linalg.det(lattice)
        assert round(half) >= 1


def test_the_inverse_search_finds_the_tilts():
    parent = abstract_parent(221)
    irreps = [named_irrep(parent, label) for label in ("M3+", "R4+", "X5+", "GM4-")]
    found = [[i.label for i in hits[0].images.irreps] for hits in leads_to(parent, irreps, 62, 4)]
    assert ["M3+", "R4+"] in found
    assert all(len(labels) == 2 for labels in found)
    alone = leads_to(parent, irreps, 140, 2)
    assert [[i.label for i in hits[0].images.irreps] for hits in alone] == [["R4+"]]
    assert leads_to(parent, irreps, 225, None) == []  # negative control: no subgroup of Pm-3m by these


def test_unknown_irreps_are_refused():
    with pytest.raises(InvalidInputError, match="has no irrep R9"):
        named_irrep(abstract_parent(221), "R9")


def test_structures_have_the_subgroup(tmp_path):
    from pathlib import Path

    from orderparam.distort import Pattern
    from orderparam.report.directions import write_directions

    parent = symmetrise(read_crystal(Path(__file__).parents[2] / "structures/perovskite/LaMnO3_221.cif"))
    irreps = [(named_irrep(parent, "M3+"),), (named_irrep(parent, "GM4-"),)]
    found = [(members, find_directions(parent, members)) for members in irreps]
    paths = write_directions(parent, found, tmp_path, Pattern(0.3))
    assert len(paths) == sum(len(d) for _, d in found)
    for path in paths:
        assert report_symmetry(read_crystal(path), 1e-3).number == int(path.stem.split("_")[-1])
