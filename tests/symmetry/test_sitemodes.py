"""Modes one by one: orthonormal, complete, of local symmetry; names and sizes of ISODISTORT: test_published.py."""

import json
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.parent import symmetrise
from orderparam.spacegroup import point_group, standard_group
from orderparam.symmetry.sitegroups import _vector_parts, displacement_blocks
from orderparam.symmetry.sitemodes import all_site_modes, site_modes

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = [(p["parent"], p["child"]) for p in json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())]
QUICK = ["LaMnO3_62", "Ca3Ti2O7_36", "SiO2_154", "K2SeO4_33", "ZrO2_14", "Se_152", "YMnO3_185"]


def analysed(parent: str, child: str) -> Analysis:
    return analyse(symmetrise(read_crystal(STRUCTURES / parent)), read_crystal(STRUCTURES / child))


def choose(quick: bool) -> list:
    marks = [] if quick else [pytest.mark.slow]
    chosen = [p for p in PAIRS if any(Path(p[1]).stem == name for name in QUICK) == quick]
    return [pytest.param(*pair, marks=marks, id=f"{Path(pair[0]).stem}-{Path(pair[1]).stem}") for pair in chosen]


@pytest.mark.parametrize(("parent", "child"), choose(True) + choose(False))
def test_modes_are_a_complete_orthonormal_basis(parent, child):
    analysis = analysed(parent, child)
    distortion = analysis.relation.distortion
    modes = all_site_modes(analysis.decomposition)
    patterns = np.array([m.pattern.ravel() for m in modes])
    assert np.allclose(patterns @ patterns.T, np.eye(len(modes)), atol=1e-10)
    rebuilt = sum(m.amplitude_supercell * m.pattern for m in modes)
    assert np.allclose(rebuilt, distortion.displacements, atol=1e-10)
    # as many as the child's group leaves free coordinates: the trace of its average over displacement fields
    action = distortion.group.action()
    fixed = (action.permutations == np.arange(action.n_sites)).sum(axis=1)
    free = (fixed * np.trace(action.rotations, axis1=1, axis2=2)).mean()
    assert len(modes) == round(free)


@pytest.mark.parametrize(("parent", "child"), choose(True))
def test_shifts_of_coordinates_come_from_the_normalised_polarisation(parent, child):
    analysis = analysed(parent, child)
    distortion = analysis.relation.distortion
    shifts = np.zeros_like(distortion.displacements)
    for mode in all_site_modes(analysis.decomposition):
        assert np.abs(mode.polarisation).max() == pytest.approx(1.0)
        shifts += mode.amplitude_supercell * mode.normalisation * mode.polarisation
    assert np.allclose(shifts @ distortion.supercell.lattice, distortion.displacements, atol=1e-10)


def test_one_mode_moves_one_orbit_along_its_local_axes():
    analysis = analysed("perovskite/LaMnO3_221.cif", "perovskite/LaMnO3_62.cif")
    supercell = analysis.relation.distortion.supercell
    blocks = {(b.site, b.name): b for b in displacement_blocks(supercell.parent)}
    for mode in all_site_modes(analysis.decomposition):
        axes = blocks[mode.site, mode.site_irrep].axes[supercell.sites]
        kept = np.einsum("nra,nrb,nb->na", axes, axes, mode.pattern)
        assert np.allclose(kept, mode.pattern, atol=1e-10)


def test_zero_modes_that_the_child_allows_are_listed():
    analysis = analysed("perovskite/SrTiO3_221.cif", "perovskite/SrTiO3_140.cif")
    names = {m.name: m.amplitude_supercell for m in all_site_modes(analysis.decomposition)}
    assert set(names) == {"R4+[O1:d:dsp]Eu(a)"}
    analysis = analysed("fluorite/ZrO2_225.cif", "fluorite/ZrO2_14.cif")
    zero = [o for o in analysis.decomposition.displacive if o.is_zero]
    for o in zero:
        assert all(abs(m.amplitude) < 1e-5 for m in site_modes(o, analysis.relation.distortion))


def test_local_axes_split_a_vector_under_every_site_group():
    """The parts are orthonormal, invariant, together three axes, and inequivalent, in site groups of all 32 classes."""
    seen = set()
    for number in range(1, 231):
        group = standard_group(number)
        rotations = np.unique(group.rotations, axis=0)
        symbol = point_group(rotations)
        if symbol in seen:
            continue
        seen.add(symbol)
        metric = np.mean(np.swapaxes(rotations, 1, 2) @ rotations, axis=0)
        basis = np.linalg.cholesky(metric).T
        cartesian = basis @ rotations @ np.linalg.inv(basis)
        parts = _vector_parts(symbol, cartesian, np.eye(3))
        axes = np.concatenate([a for _, a in parts])
        assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-9)
        characters = []
        for _, part in parts:
            projector = part.T @ part
            assert np.allclose(cartesian @ projector, projector @ cartesian, atol=1e-9)
            characters.append(np.trace(projector @ cartesian, axis1=1, axis2=2) / len(part))
        for i, one in enumerate(characters):
            for other in characters[:i]:
                assert not np.allclose(one, other)
    assert len(seen) == 32
