"""Bonds and angles beyond a single octahedron: bridges between two of them, and the ions in the holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.distortion import Distortion

from .carried import CarriedOctahedra
from .network import OctahedralNetwork, first_shell, nearest_shells

Orbits = list[np.ndarray]


@dataclass(frozen=True)
class Bridge:
    """A ligand between two octahedra, one per orbit of the child's ligands.

    Attributes
    ----------
    centres : (str, str)
    ligand : str
        The child's site labels.
    multiplicity : int
        Ligands of the orbit in the child's primitive cell.
    angle : float
        B-X-B, degrees.
    angle_parent : float
        The same in the parent.
    """

    centres: tuple[str, str]
    ligand: str
    multiplicity: int
    angle: float
    angle_parent: float


@dataclass(frozen=True, eq=False)
class HoleIon:
    """An ion outside the octahedra, one per orbit of the child, with the ligands that surround it in the parent.

    Attributes
    ----------
    label, species : str
    multiplicity : int
    lengths : (n,)
        Distances to those ligands in the child, shortest first, angstrom.
    off_centre, off_centre_parent : (3,)
        From the centroid of those ligands to the ion in the child and in the parent, along the parent's axes, angstrom.
    polar : (3,)
        Mean of `off_centre` over the orbit: zero where the shifts cancel, as they do in a child that is not polar.
    """

    label: str
    species: str
    multiplicity: int
    lengths: np.ndarray
    off_centre: np.ndarray
    off_centre_parent: np.ndarray
    polar: np.ndarray


def bridges(octahedra: CarriedOctahedra, orbits: Orbits, labels: tuple[str, ...]) -> tuple[Bridge, ...]:
    """Return the B-X-B angles of the child."""
    i, j, a, b = octahedra.links.T
    ligand = octahedra.ligands[i, a]
    angles = _angles(octahedra.vectors[i, a], octahedra.vectors[j, b])
    before = _angles(octahedra.reference[i, a], octahedra.reference[j, b])
    link_of = {int(atom): number for number, atom in enumerate(ligand)}
    found = []
    for orbit in orbits:
        if (n := link_of.get(int(orbit[0]))) is not None:
            ends = labels[octahedra.centres[i[n]]], labels[octahedra.centres[j[n]]]
            found.append(Bridge(ends, labels[ligand[n]], len(orbit), float(angles[n]), float(before[n])))
    return tuple(found)


def hole_ions(
    network: OctahedralNetwork, distortion: Distortion, orbits: Orbits, labels: tuple[str, ...]
) -> tuple[HoleIon, ...]:
    """Return the surroundings of the ions that are neither centres nor ligands of octahedra."""
    supercell, parent = distortion.supercell, distortion.supercell.parent
    polar = network.axes @ distortion.group.action().rotations.mean(axis=0) @ network.axes.T
    ligands = np.unique(network.ligands)
    framework = set(ligands.tolist()) | set(network.centres.tolist())
    shells = nearest_shells(parent.crystal)
    found = []
    for orbit in orbits:
        atom = orbit[0]
        site = int(supercell.sites[atom])
        if site in framework:
            continue
        shell = first_shell(shells[site], ligands)
        if not len(shell.sites):
            continue
        others = supercell.atoms_at(shell.sites, supercell.cells[atom] + shell.cells)
        moved = distortion.displacements[others] - distortion.displacements[atom]
        vectors = (shell.vectors + moved) @ (np.eye(3) + distortion.strain)
        off_centre = -network.axes @ vectors.mean(axis=0)
        found.append(
            HoleIon(
                labels[atom],
                supercell.species[atom],
                len(orbit),
                np.sort(np.linalg.norm(vectors, axis=1)),
                off_centre,
                -network.axes @ shell.vectors.mean(axis=0),
                polar @ off_centre,
            )
        )
    return tuple(found)


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the angles (n,) between vectors (n, 3), degrees; accurate near 180."""
    sine = np.linalg.norm(np.cross(first, second), axis=1)
    return np.degrees(np.arctan2(sine, np.einsum("na,na->n", first, second)))
