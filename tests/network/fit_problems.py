"""Fit problems from real pairs, built by pymatgen and spglib alone, independently of the library's own matching."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from orderparam.network.graph import Edges, RadialBasis, choose_cutoff, find_edges, shells_of
from orderparam.network.layout import Layout, draw_weights, weight_shapes
from orderparam.network.orbits import invariant_displacements, invariant_fields
from orderparam.network.problem import Architecture, FitProblem, InputBlock
from orderparam.network.trained import TrainedNetwork
from orderparam.o3 import Irrep
from orderparam.siteaction import SiteAction

STRUCTURES = Path(__file__).parents[2] / "structures"


def load(path: Path, symprec: float = 1e-3):
    """Read a CIF as pymatgen's primitive structure."""
    from pymatgen.core import Structure
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SpacegroupAnalyzer(Structure.from_file(path), symprec=symprec).find_primitive()


def blocks(group: SiteAction, species: tuple[str, ...], carriers: str) -> tuple[InputBlock, ...]:
    """Return the inputs of a text such as "Mn:1e O:1o": all invariant fields on all sites of the species."""
    found = []
    for carrier in carriers.split():
        name, irrep = carrier.split(":")
        sites = np.array([i for i, s in enumerate(species) if s == name])
        found.append(InputBlock(Irrep.parse(irrep), invariant_fields(group, Irrep.parse(irrep), sites), carrier))
    return tuple(found)


def pair(parent_file: str, child_file: str, carriers: str = "") -> FitProblem:
    """Match a child onto a parent and return the fit problem, projected onto the child's group."""
    import spglib
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from scipy.linalg import sqrtm

    parent, child = load(STRUCTURES / parent_file, 1e-5), load(STRUCTURES / child_file)
    matcher = StructureMatcher(0.4, 0.8, 15, primitive_cell=False, attempt_supercell=True)
    supercell, shift, mapping = matcher.get_transformation(child, parent)
    ideal = parent * supercell
    lattice = np.array(supercell) @ parent.lattice.matrix
    positions = (ideal.frac_coords + shift)[mapping]
    species = tuple(site.specie.symbol for site in child)
    assert species == tuple(ideal[i].specie.symbol for i in mapping)
    moved = child.frac_coords - positions
    displacements = (moved - np.rint(moved)) @ lattice
    displacements -= displacements.mean(axis=0)
    deformation = np.linalg.inv(lattice) @ child.lattice.matrix
    strain = np.real(sqrtm(deformation @ deformation.T)) - np.eye(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cell = (child.lattice.matrix, child.frac_coords, child.atomic_numbers)
        found = spglib.get_symmetry(cell, symprec=1e-3)
    group = site_action(lattice, child.frac_coords, found["rotations"], found["translations"])
    basis = invariant_displacements(group)
    displacements = np.einsum("r,rni->ni", np.einsum("rni,ni->r", basis, displacements), basis)
    strain = np.einsum("gia,ab,gjb->ij", group.rotations, strain, group.rotations) / group.n_elements
    return FitProblem(lattice, positions, species, group, displacements, strain, blocks(group, species, carriers))


def site_action(
    lattice: np.ndarray, positions: np.ndarray, rotations: np.ndarray, translations: np.ndarray
) -> SiteAction:
    """Return how fractional operations act on sites and turn Cartesian space."""
    inverse = np.linalg.inv(lattice.T)
    turned = np.einsum("gab,ib->gia", rotations, positions) + translations[:, None]
    apart = turned[:, :, None] - positions
    permutations = np.linalg.norm((apart - np.rint(apart)) @ lattice, axis=-1).argmin(axis=-1)
    cartesian = np.einsum("ab,gbc,cd->gad", lattice.T, rotations, inverse)
    left, _, right = np.linalg.svd(cartesian)
    return SiteAction(left @ right, permutations)


def parent_action(problem: FitProblem) -> SiteAction:
    """Return the parent's group modulo the translations of the child's cell."""
    import spglib

    numbers = [problem.kinds.index(name) + 1 for name in problem.species]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = spglib.get_symmetry((problem.lattice, problem.positions, numbers), symprec=1e-4)
    return site_action(problem.lattice, problem.positions, found["rotations"], found["translations"])


def low_symmetry(problem: FitProblem, carriers: str, size: float, seed: int = 0) -> FitProblem:
    """Return a problem on the same sites without any symmetry: random displacements and strain."""
    rng = np.random.default_rng(seed)
    n = problem.n_sites
    group = SiteAction(np.eye(3)[None], np.arange(n)[None])
    displacements = size * rng.normal(size=(n, 3))
    displacements -= displacements.mean(axis=0)
    strain = 0.01 * rng.normal(size=(3, 3))
    inputs = blocks(group, problem.species, carriers)
    return FitProblem(
        problem.lattice, problem.positions, problem.species, group, displacements, (strain + strain.T) / 2, inputs
    )


def points(start: np.ndarray, end: np.ndarray, group: SiteAction, carriers: str) -> FitProblem:
    """Return the problem of carrying one finite set of points (n, 3) into another, species X."""
    species = ("X",) * len(start)
    move = end - start
    inputs = blocks(group, species, carriers)
    return FitProblem(None, start, species, group, move - move.mean(axis=0), np.zeros((3, 3)), inputs)


def full_fields(problem: FitProblem, lmax: int, seed: int, invariant: bool = False) -> np.ndarray:
    """Return random fields (n_sites, dim) of all irreps up to lmax, optionally invariant under the child's group."""
    layout = Layout.all_up_to(lmax)
    values = np.random.default_rng(seed).normal(size=(problem.n_sites, layout.dim))
    return problem.group.average(layout.matrices(problem.group.rotations), values) if invariant else values


def random_network(problem: FitProblem, architecture: Architecture, seed: int = 0) -> TrainedNetwork:
    """Return a network with random weights on the sites of a problem."""
    radial, _ = geometry(problem, architecture)
    kinds, channels = problem.kinds, architecture.channels
    shapes = weight_shapes(architecture, len(kinds), radial.combination.shape[1])
    weights, embedding = draw_weights(shapes, len(kinds), channels, (seed,))
    return TrainedNetwork(
        architecture, problem.lattice, problem.positions, problem.species, kinds, radial, weights, embedding
    )


def geometry(problem: FitProblem, architecture: Architecture) -> tuple[RadialBasis, Edges]:
    """Return the radial functions and the edges of a problem."""
    cutoff = choose_cutoff(problem.lattice, problem.positions, architecture.cutoff_factor, problem.periodic)
    edges = find_edges(problem.lattice, problem.positions, cutoff)
    return RadialBasis.on_shells(cutoff, shells_of(edges.lengths)), edges
