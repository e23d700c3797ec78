"""Find the supercells of a parent that a child's cell can be a strained copy of.

A candidate is an integer matrix S with ``L_child^T ~ F (S L_parent)^T``; its deformation gradient F = R U splits into
the proper rotation R and the symmetric stretch U. No Hermite forms are enumerated: each child vector lists the parent
vectors that the allowed strain can turn into it, and triples of the right volume remain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.lattice import determinant, lattice_points_within


@dataclass(frozen=True, eq=False)
class CandidateCell:
    """One supercell of the parent with the deformation that turns it into the child's cell.

    Attributes
    ----------
    supercell : (3, 3) int64
        Rows: the child's vectors in the parent's basis.
    rotation : (3, 3) float64
        R, proper, Cartesian, from the parent's to the child's frame.
    stretch : (3, 3) float64
        U, symmetric, in the parent's frame.
    rms_strain : float
        Root mean square of the principal strains, the eigenvalues of U - 1.
    """

    supercell: np.ndarray
    rotation: np.ndarray
    stretch: np.ndarray
    rms_strain: float


@dataclass(frozen=True, eq=False)
class Normals:
    """How the lattices of two layers stand to their normals, along which only whole periods may be matched.

    Attributes
    ----------
    parent_periods, child_periods : (3,) int64
        The period along the normal in each basis.
    parent_heights, child_heights : (3,) int64
        How many periods each basis vector rises.
    """

    parent_periods: np.ndarray
    child_periods: np.ndarray
    parent_heights: np.ndarray
    child_heights: np.ndarray

    @classmethod
    def of(cls, parent: tuple[np.ndarray, np.ndarray], child: tuple[np.ndarray, np.ndarray]) -> Normals:
        """Take the period along the normal (3,) and the lattice (3, 3), angstrom, of both."""
        periods = [np.rint(period @ np.linalg.inv(lattice)).astype(np.int64) for period, lattice in (parent, child)]
        heights = [
            np.rint(lattice @ period / (period @ period)).astype(np.int64) for period, lattice in (parent, child)
        ]
        return cls(*periods, *heights)

    def kept_by(self, supercell: np.ndarray) -> bool:
        """Tell whether a supercell (rows in the parent's basis) takes the normal to the normal, the plane to the plane.

        The two periods are equally long, so that there is no strain out of the plane.
        """
        image, heights = self.child_periods @ supercell, supercell @ self.parent_heights
        return any(
            np.array_equal(image, sign * self.parent_periods) and np.array_equal(heights, sign * self.child_heights)
            for sign in (1, -1)
        )


def candidate_cells(
    parent_lattice: np.ndarray,
    child_lattice: np.ndarray,
    parent_rotations: np.ndarray,
    *,
    n_cells: int,
    max_strain: float,
    min_strain: float = 0.0,
) -> list[CandidateCell]:
    """List the supercells S whose largest principal strain lies in (min_strain, max_strain], least strained first.

    Of the S W^T that the parent's proper rotations W make equivalent, the one that turns the frames least is kept.

    Parameters
    ----------
    parent_lattice, child_lattice : (3, 3) float64
        Rows, angstrom, both reduced (the search is exhaustive for any basis, but fast for short vectors only).
    parent_rotations : (m, 3, 3) int
        Point group of the parent on fractional columns of `parent_lattice`; improper ones are ignored.
    n_cells : int
        Volume of the child's cell in primitive cells of the parent.
    """
    proper = parent_rotations[determinant(parent_rotations) == 1]
    supercells = _triples(parent_lattice, child_lattice, proper, n_cells, max_strain)
    if len(supercells) == 0:
        return []
    orbits = np.einsum("sia,wba->swib", supercells, proper)
    rotations, stretches, strains = _polar(orbits[:, 0] @ parent_lattice, child_lattice)
    largest = np.abs(strains).max(axis=1)
    allowed = np.flatnonzero((largest <= max_strain) & ((largest > min_strain) | (min_strain == 0)))
    rotations, stretches, _ = _polar(orbits[allowed] @ parent_lattice, child_lattice)
    rms = np.sqrt(np.mean(strains[allowed] ** 2, axis=1))
    cells = {}
    for index in np.argsort(np.round(rms, 9), kind="stable"):
        traces = np.trace(rotations[index], axis1=-2, axis2=-1)
        best = max(range(len(proper)), key=lambda w: (round(traces[w], 6), orbits[allowed[index], w].ravel().tolist()))
        supercell = orbits[allowed[index], best]
        if supercell.tobytes() not in cells:
            cells[supercell.tobytes()] = CandidateCell(
                supercell, rotations[index, best], stretches[index, best], float(rms[index])
            )
    return list(cells.values())


def _triples(
    parent_lattice: np.ndarray, child_lattice: np.ndarray, proper: np.ndarray, n_cells: int, max_strain: float
) -> np.ndarray:
    """List integer matrices (n, 3, 3) of the right volume whose rows pass the strain bound in pairs.

    Principal strains within e bound the Gram matrices of vectors and of pairs of vectors as well:
    ``(1 - e)^2 G_parent <= G_child <= (1 + e)^2 G_parent`` in the sense of quadratic forms.
    """
    gram = child_lattice @ child_lattice.T
    low, high = (1 - max_strain) ** 2 * (1 - 1e-9), (1 + max_strain) ** 2 * (1 + 1e-9)
    points = lattice_points_within(parent_lattice, np.sqrt(gram.diagonal().max() / low))
    vectors = points @ parent_lattice
    squares = np.sum(vectors**2, axis=1)
    rows = [np.flatnonzero((low * squares <= gram[i, i]) & (gram[i, i] <= high * squares)) for i in range(3)]

    def fits(i: int, j: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Tell which pairs of a point (n or 1) for row i and one (n) for row j pass the bound."""
        a, b, ab = squares[first], squares[second], np.sum(vectors[first] * vectors[second], axis=1)
        lower = (gram[i, i] - low * a) * (gram[j, j] - low * b) - (gram[i, j] - low * ab) ** 2
        upper = (high * a - gram[i, i]) * (high * b - gram[j, j]) - (high * ab - gram[i, j]) ** 2
        return (lower >= 0) & (upper >= 0)

    # F must not mirror: S has the sign that joins the handedness of the two bases
    volume = n_cells * int(np.sign(np.linalg.det(parent_lattice) * np.linalg.det(child_lattice)))
    found = [np.empty((0, 3, 3), dtype=np.int64)]
    for start in rows[0][_orbit_representatives(points[rows[0]], proper), None]:
        second, third = (rows[j][fits(0, j, start, rows[j])] for j in (1, 2))
        j, k = np.nonzero(np.cross(points[start], points[second]) @ points[third].T == volume)
        second, third = second[j], third[k]
        passed = fits(1, 2, second, third)
        second, third = second[passed], third[passed]
        first = np.broadcast_to(points[start], (len(second), 3))
        found.append(np.stack([first, points[second], points[third]], axis=1))
    return np.concatenate(found)


def _orbit_representatives(points: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Return the index of one point of every orbit; `points` (n, 3) int are closed under the rotations."""
    if len(points) == 0:
        return np.empty(0, dtype=np.int64)
    images = points @ rotations.transpose(0, 2, 1)
    base = 2 * np.abs(images).max() + 1
    keys = images @ np.array([base**2, base, 1])
    return np.unique(keys.min(axis=0), return_index=True)[1]


def _polar(supercells: np.ndarray, child_lattice: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split ``child_lattice^T = F cell^T`` as F = R U for every cell (..., 3, 3).

    Returns R (..., 3, 3), U (..., 3, 3) and the principal strains (..., 3).
    """
    gradient = np.swapaxes(np.linalg.solve(supercells, np.broadcast_to(child_lattice, supercells.shape)), -1, -2)
    left, stretches, right = np.linalg.svd(gradient)
    return left @ right, np.swapaxes(right, -1, -2) @ (stretches[..., None] * right), stretches - 1.0
