"""Sites that are alike: for a crystal its sites modulo translations, for anything disordered every site on its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from orderparam.crystals.reading import read_crystal
from orderparam.network.environments import environments
from orderparam.network.graph import choose_cutoff, find_edges
from orderparam.network.orbits import Orbits
from orderparam.network.problem import Architecture
from orderparam.network.residuals import build_network
from orderparam.parent import symmetrise
from orderparam.siteaction import SiteAction
from orderparam.supercell import Supercell
from tests.network.fit_problems import STRUCTURES, low_symmetry, pair, random_network


def classes_of(supercell: Supercell, positions: np.ndarray | None = None) -> np.ndarray:
    positions = supercell.positions if positions is None else positions
    edges = find_edges(supercell.lattice, positions, choose_cutoff(supercell.lattice, positions, 1.3))
    label = np.unique(np.round(edges.vectors, 6), axis=0, return_inverse=True)[1].ravel()
    kinds = np.unique(supercell.species, return_inverse=True)[1]
    return environments(kinds, edges.centres, edges.neighbours, label)


def test_the_classes_of_a_crystal_are_its_sites():
    for name, n_sites in (("perovskite/SrTiO3_221", 5), ("fluorite/ZrO2_225", 3), ("quartz/SiO2_180", 9)):
        parent = symmetrise(read_crystal(STRUCTURES / f"{name}.cif"))
        supercell = Supercell.build(parent, np.array([[2, 1, 0], [0, 2, 0], [0, 0, 3]]))
        classes = classes_of(supercell)
        pairs = set(zip(classes.tolist(), supercell.sites.tolist(), strict=True))
        assert len(pairs) == len(set(classes.tolist())) == n_sites == len(parent.crystal.species)


def test_one_moved_atom_makes_every_site_its_own():
    """Within its reach, layer by layer: the refinement goes on until nothing changes."""
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))
    supercell = Supercell.build(parent, 2 * np.eye(3, dtype=int))
    positions = supercell.positions.copy()
    positions[0] += [0.01, 0.003, 0.002]
    assert len(set(classes_of(supercell, positions).tolist())) == supercell.n_atoms


def test_the_plain_network_on_a_disordered_structure_equals_the_reduced_one():
    """Every site a class of its own; the reduced network of the trivial group knows no classes."""
    problem = low_symmetry(pair("perovskite/SrTiO3_221.cif", "perovskite/SrTiO3_140.cif"), "Ti:1e", 0.05)
    rng = np.random.default_rng(1)
    nobody = SiteAction(np.eye(3)[None], np.arange(problem.n_sites)[None])
    problem = replace(problem, positions=problem.positions + 0.01 * rng.normal(size=(problem.n_sites, 3)), group=nobody)
    plain, orbits = random_network(problem, Architecture(2)), Orbits.of(nobody)
    assert len(plain.module().rest_kinds) == problem.n_sites
    fields = torch.from_numpy(rng.normal(size=(problem.n_sites, plain.module().source.dim)))
    with torch.no_grad():
        reduced = build_network(problem, Architecture(2), orbits)
        weights, embedding = torch.from_numpy(plain.weights), torch.from_numpy(plain.embedding)
        expected, _ = reduced.forward(weights, embedding, fields)
        found = plain.module().features(fields)
        change = plain.module().read(plain.module().propagate(fields)[1])
        without, _ = reduced.forward(weights, embedding, torch.zeros_like(fields))
    np.testing.assert_allclose(found.numpy(), expected.numpy()[np.argsort(orbits.representatives)], atol=1e-12)
    np.testing.assert_allclose(change.numpy(), (expected - without).numpy(), atol=1e-12)
