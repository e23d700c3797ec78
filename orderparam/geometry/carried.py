"""The parent's octahedra in the child: the same atoms, wherever the distortion has moved them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.distortion import Distortion
from orderparam.supercell import Supercell

from .network import OctahedralNetwork


@dataclass(frozen=True, eq=False)
class CarriedOctahedra:
    """Octahedra of the child's primitive cell, in the parent's frame.

    Attributes
    ----------
    network : OctahedralNetwork
    supercell : Supercell
    kinds : (N,) int
        Octahedron of the network that each is a copy of.
    centres, ligands : (N,) int, (N, 6) int
        Atoms of the supercell.
    reference, vectors : (N, 6, 3)
        From centre to ligands in the parent and in the child, strain included; Cartesian, angstrom.
    """

    network: OctahedralNetwork
    supercell: Supercell
    kinds: np.ndarray
    centres: np.ndarray
    ligands: np.ndarray
    reference: np.ndarray
    vectors: np.ndarray

    @property
    def n_octahedra(self) -> int:
        """Number of octahedra in the child's primitive cell."""
        return len(self.centres)

    @cached_property
    def rotations(self) -> np.ndarray:
        """Rotation of every octahedron out of the parent's orientation (N, 3, 3)."""
        return rotation_part(deformation_gradients(self.reference, self.vectors))

    @cached_property
    def rotation_vectors(self) -> np.ndarray:
        """Axis times angle of every rotation (N, 3): degrees, components on the network's axes."""
        r = self.rotations
        twice = np.stack([r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]], axis=1)
        sine, cosine = np.linalg.norm(twice, axis=1) / 2, (np.trace(r, axis1=1, axis2=2) - 1) / 2
        angle = np.arctan2(sine, cosine)  # octahedra do not turn by 180 degrees, where the axis would be lost
        scale = np.divide(angle, 2 * sine, out=np.full(len(r), 0.5), where=sine > 1e-12)
        return np.degrees(twice * scale[:, None]) @ self.network.axes.T

    @cached_property
    def links(self) -> np.ndarray:
        """Shared corners (L, 4) int: two octahedra, and the number of the ligand in each."""
        here = self.supercell.cells[self.centres]
        at_atom = np.full(self.supercell.n_atoms, -1)
        at_atom[self.centres] = np.arange(self.n_octahedra)
        found = []
        for i, j, a, b, *cell in self.network.links:
            mine = np.flatnonzero(self.kinds == i)
            sites = np.full(len(mine), self.network.centres[j])
            others = at_atom[self.supercell.atoms_at(sites, here[mine] + np.array(cell))]
            found.append(np.column_stack([mine, others, np.full(len(mine), a), np.full(len(mine), b)]))
        return np.concatenate(found) if found else np.zeros((0, 4), int)

    def linear_rotations(self, displacements: np.ndarray) -> np.ndarray:
        """Return half the curl of a displacement field (n_atoms, 3) over every octahedron (N, 3).

        ``omega_a = 1/2 eps_abc (F - 1)_cb``, F the gradient of `deformation_gradients`: to first order the rotation
        vector in radians. Components are on the network's axes.
        """
        moved = displacements[self.ligands] - displacements[self.centres][:, None]
        gradient = deformation_gradients(self.reference, moved)
        curl = np.stack([gradient[:, c, b] - gradient[:, b, c] for b, c in ((1, 2), (2, 0), (0, 1))], axis=1) / 2
        return curl @ self.network.axes.T


def carry(network: OctahedralNetwork, distortion: Distortion) -> CarriedOctahedra:
    """Return the octahedra of the child, in the order of their centres among its atoms."""
    supercell = distortion.supercell
    kind_of = np.full(supercell.parent.crystal.n_sites, -1)
    kind_of[network.centres] = np.arange(len(network.centres))
    centres = np.flatnonzero(kind_of[supercell.sites] >= 0)
    kinds = kind_of[supercell.sites[centres]]
    cells = supercell.cells[centres][:, None] + network.cells[kinds]
    ligands = supercell.atoms_at(network.ligands[kinds].ravel(), cells.reshape(-1, 3)).reshape(-1, 6)
    reference = network.bonds[kinds]
    moved = distortion.displacements[ligands] - distortion.displacements[centres][:, None]
    vectors = (reference + moved) @ (np.eye(3) + distortion.strain)
    return CarriedOctahedra(network, supercell, kinds, centres, ligands, reference, vectors)


def deformation_gradients(reference: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the linear map (N, 3, 3) that takes each reference cage best onto the cage of the child.

    Least squares, both cages about their centroids: ``F = (sum_i v_i r_i^T) (sum_i r_i r_i^T)^-1``.
    """
    r = reference - reference.mean(axis=1, keepdims=True)
    v = vectors - vectors.mean(axis=1, keepdims=True)
    return np.einsum("nia,nib->nab", v, r) @ np.linalg.inv(np.einsum("nia,nib->nab", r, r))


def rotation_part(gradients: np.ndarray) -> np.ndarray:
    """Return the rotation R of the polar decompositions F = R U = V R (N, 3, 3).

    A pure strain, V alone, has R = 1: a strained octahedron is not a turned one, and a turned octahedron keeps its R
    under any strain whose principal axes it shares.
    """
    left, _, right = np.linalg.svd(gradients)
    left[..., 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    return left @ right
