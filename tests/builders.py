"""Random parents in any space group, and children distorted along chosen irreps."""

from __future__ import annotations

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.errors import SymmetryError
from orderparam.parent import Parent, symmetrise
from orderparam.spacegroup import DENOMINATOR, hall_entries, hall_operations, report_symmetry
from orderparam.supercell import Supercell
from orderparam.symmetry.isotropy import stabiliser
from orderparam.symmetry.modes import SiteRepresentation, expand, mode_basis
from orderparam.symmetry.parentirreps import ParentIrrep, commensurate_irreps

SPECIES = ("Ti", "O", "Na", "S")


def random_crystal(number: int, rng: np.random.Generator, *, tries: int = 60) -> Crystal | None:
    """Return a crystal of one to three orbits in the ISO-IR setting of a space group, None when no try succeeds."""
    rotations, numerators = hall_operations(hall_entries(number)[0])
    translations = numerators / DENOMINATOR
    for _ in range(tries):
        orbits = [_orbit(rotations, translations, rng) for _ in range(rng.integers(1, 4))]
        positions = np.concatenate(orbits)
        if len(positions) > 40:
            continue
        species = tuple(SPECIES[i] for i, orbit in enumerate(orbits) for _ in orbit)
        lattice = _lattice(rotations, rng)
        lattice *= (16.0 * len(positions) / abs(np.linalg.det(lattice))) ** (1 / 3)
        try:
            crystal = Crystal(lattice, positions, species)
            if _closest(crystal) > 1.6 and report_symmetry(crystal, 1e-4).number == number:
                return crystal
        except (SymmetryError, ValueError):
            continue
    return None


def _orbit(rotations: np.ndarray, translations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the orbit of a random point that is put onto a random symmetry element."""
    point = rng.random(3)
    for _ in range(rng.integers(0, 3)):
        g = int(rng.integers(len(rotations)))
        shift = translations[g] + rng.integers(-1, 2, 3)
        # the point's own cyclic group about a point that it fixes, if there is one
        fixed, *_ = np.linalg.lstsq(rotations[g] - np.eye(3), -shift, rcond=None)
        if np.allclose(rotations[g] @ fixed + shift, fixed, atol=1e-9):
            powers = [np.linalg.matrix_power(rotations[g], n) for n in range(12)]
            point = fixed + np.mean(powers, axis=0) @ (point - fixed)
    images = rotations @ point + translations
    images -= np.floor(images + 1e-9)
    distinct: list[np.ndarray] = []
    for image in images:
        gaps = np.array([image - other for other in distinct]).reshape(-1, 3)
        if not (np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=1).any():
            distinct.append(image)
    return np.array(distinct)


def _lattice(rotations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random lattice (rows) that the rotations keep, without large anisotropy."""
    spread = np.diag(rng.uniform(0.8, 1.3, 3)) + rng.uniform(-0.2, 0.2, (3, 3))
    metric = spread @ spread.T
    metric = np.mean(np.swapaxes(rotations, 1, 2) @ metric @ rotations, axis=0)
    return np.linalg.cholesky(metric)


def _closest(crystal: Crystal) -> float:
    cells = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    gaps = (crystal.positions[:, None] - crystal.positions[None])[:, :, None] + cells
    lengths = np.linalg.norm(gaps @ crystal.lattice, axis=-1)
    return float(np.sort(lengths, axis=None)[crystal.n_sites])  # past the zeros of every atom with itself


def random_child(
    parent: Parent, rng: np.random.Generator, *, amplitude: float = 0.25, n_irreps: int = 1, largest: int = 4
) -> tuple[Crystal, tuple[ParentIrrep, ...]] | None:
    """Distort a parent along random special-point irreps; None when a draw makes cells of more than `largest`.

    The distortion is along one component, or two, of the irrep, so that the child's cell stays small.
    """
    supercell = Supercell.build(parent, 2 * np.eye(3, dtype=int))
    representation = SiteRepresentation.on_sites(parent, parent.rotations_cart)
    irreps = [i for i in commensurate_irreps(supercell) if not i.is_identity and representation.multiplicity(i)]
    chosen = tuple(irreps[int(n)] for n in rng.choice(len(irreps), min(n_irreps, len(irreps)), replace=False))
    field = np.zeros((supercell.n_atoms, 3))
    for irrep in chosen:
        basis = mode_basis(representation, irrep)
        components = rng.normal(size=(basis.copies, 1)) * _direction(irrep.dimension, rng)
        part = expand(basis, supercell, components)
        part -= part.mean(axis=0)
        if np.linalg.norm(part) < 1e-6:
            return None
        field += part / np.abs(part).max() * rng.uniform(0.6, 1.0) * amplitude
        group = stabiliser(supercell, irrep, components)
        if abs(round(np.linalg.det(group.lattice_basis))) > largest:
            return None
    return supercell.with_displacements(field, np.zeros((3, 3))), chosen


def _direction(dimension: int, rng: np.random.Generator) -> np.ndarray:
    direction = np.zeros(dimension)
    direction[rng.choice(dimension, min(dimension, int(rng.integers(1, 3))), replace=False)] = 1.0
    return direction


def random_parent(number: int, rng: np.random.Generator) -> Parent | None:
    """Return a random parent of a space group in its standard frame."""
    crystal = random_crystal(number, rng)
    return None if crystal is None else symmetrise(crystal)
