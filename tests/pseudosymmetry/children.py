"""Children of known parents, built in random subgroups and then disguised."""

from __future__ import annotations

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.distortion import project
from orderparam.parent import Parent
from orderparam.quotientgroup import QuotientGroup
from orderparam.supercell import Subgroup


def random_child(parent: Parent, rng: np.random.Generator, *, rms: float, strain: float, n_cells: int) -> Crystal:
    """Distort a parent at random within a random subgroup of a random supercell of `n_cells` primitive cells."""
    shapes = [np.diag(d) for d in ((n_cells, 1, 1), (1, n_cells, 1), (1, 1, n_cells))]
    matrix = shapes[rng.integers(3)] + np.triu(rng.integers(0, n_cells, (3, 3)), 1)
    quotient = QuotientGroup(parent, matrix)
    group = quotient.translation_subgroup(matrix)
    for element in rng.integers(0, quotient.order, rng.integers(0, 3)):
        group = quotient.join(group, int(element))
    subgroup = Subgroup(quotient.supercell, group.elements.reshape(parent.group.order, -1))
    n = quotient.supercell.n_atoms
    tensor = rng.normal(size=(3, 3))
    moved, tensor = project(quotient.supercell, subgroup, rng.normal(size=(n, 3)), tensor + tensor.T)
    size = np.sqrt(np.mean(np.sum(moved**2, axis=1)))
    moved = moved * (rms / size) if size > 1e-9 else moved
    # the largest displacement stays what a phase transition gives
    moved = moved * min(1.0, 3 * rms / np.linalg.norm(moved, axis=1).max(initial=1e-9))
    return quotient.supercell.with_displacements(moved, strain * tensor / max(np.linalg.norm(tensor), 1e-9))


def scrambled(crystal: Crystal, rng: np.random.Generator) -> Crystal:
    """Return the same crystal with another orientation, origin, order of atoms and choice of basis vectors."""
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    basis = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = rng.permutation(3)[:2]
        basis[i] += int(rng.choice([-1, 1])) * basis[j]
    order = rng.permutation(crystal.n_sites)
    positions = crystal.positions[order] @ np.linalg.inv(basis) + rng.random(3)
    return Crystal(
        basis @ crystal.lattice @ (rotation * np.linalg.det(rotation)),
        positions - np.floor(positions),
        tuple(crystal.species[i] for i in order),
    )


def skutterudite() -> Crystal:
    """Return CoSb3, Im-3, a = 9.0385 angstrom, Co 8c, Sb 24g (0, 0.3354, 0.1579): ReO3 without some A, tilted a+a+a+.

    Schmidt, Kliche & Lutz, Acta Cryst. C43, 1678 (1987).
    """
    y, z = 0.3354, 0.1579
    antimony = [(0, a * y, b * z) for a in (1, -1) for b in (1, -1)]
    antimony = [np.roll(site, turn) for site in antimony for turn in range(3)]
    cobalt = [(a, b, c) for a in (0.25, 0.75) for b in (0.25, 0.75) for c in (0.25, 0.75)]
    sites = np.concatenate([cobalt, antimony, np.add(antimony, 0.5)])
    return Crystal(9.0385 * np.eye(3), sites - np.floor(sites), ("Co",) * 8 + ("Sb",) * 24)
