"""Perovskites with tilts of known angles, built from the rotations of their octahedra."""

from __future__ import annotations

from itertools import product

import numpy as np

from orderparam.crystals.crystal import Crystal

EDGE = 3.9


def perovskite(species: tuple[str, str, str] = ("Ti", "Sr", "O")) -> Crystal:
    """Return a cubic perovskite with the octahedra at the origin."""
    centre, hole, ligand = species
    positions = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    return Crystal(EDGE * np.eye(3), np.array(positions), (centre, hole, ligand, ligand, ligand))


def signs(cell: np.ndarray, axis: int, sign: str) -> float:
    """Return the phase of a tilt about `axis` in a cell: alternating across the axis, and along it where sign is -."""
    return (-1.0) ** (cell.sum() - (cell[axis] if sign == "+" else 0))


def tilted(symbol: str, angles: dict[str, float], strain: np.ndarray | None = None) -> Crystal:
    """Return a perovskite with a tilt system such as ``a+b-b-``; degrees by letter.

    Every octahedron turns by the rotation vector theta, components +- the angles: a ligand at r moves by
    tan|theta| (theta/|theta|) x r, which the two octahedra that share it agree upon.
    """
    theta = np.radians([0.0 if symbol[2 * k + 1] == "0" else angles[symbol[2 * k]] for k in range(3)])
    size = np.linalg.norm(theta)
    omega = theta * (np.tan(size) / size if size else 0.0)
    positions, species = [], []
    for cell in map(np.array, product(range(2), repeat=3)):
        here = omega * [signs(cell, axis, symbol[2 * axis + 1]) for axis in range(3)]
        for kind, site in zip(perovskite().species, perovskite().positions, strict=True):
            moved = np.cross(here, site) if kind == "O" else np.zeros(3)
            positions.append((cell + site + moved) / 2)
            species.append(kind)
    lattice = 2 * EDGE * (np.eye(3) if strain is None else np.eye(3) + strain)
    return Crystal(lattice, np.array(positions), tuple(species))
