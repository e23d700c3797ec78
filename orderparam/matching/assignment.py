"""Put the atoms of a child onto the ideal sites of its parent, for one candidate cell.

All positions are fractional in the parent's primitive basis and all distances are in its unstrained metric. Ideal
sites repeat with the primitive cell, so the nearest sites of many atoms and origins are found together;
where two atoms claim one site, the Hungarian algorithm decides on the whole supercell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.lattice import QuotientLattice, shortest_images, shortest_images_reduced

_MAX_ANCHORS = 32
_MAX_JUDGES = 60
_MAX_ORIGINS = 8
_SAME_ORIGIN = 0.05  # angstrom


@dataclass(frozen=True, eq=False)
class Assignment:
    """Child atoms on parent sites.

    Attributes
    ----------
    shift : (3,) float64
        Added to the atoms' fractional positions; makes the mean displacement zero.
    sites : (n,) int64
        Parent site of every atom.
    cells : (n, 3) int64
        Its primitive cell: the ideal position is ``positions[sites] + cells``.
    displacements : (n, 3) float64
        Atom minus ideal position, Cartesian, angstrom, mean zero.
    """

    shift: np.ndarray
    sites: np.ndarray
    cells: np.ndarray
    displacements: np.ndarray

    @property
    def mean_square(self) -> float:
        """Mean square displacement (angstrom^2)."""
        return float(np.mean(np.sum(self.displacements**2, axis=1)))


class IdealSites:
    """The sites of a parent, ready to be asked for the nearest one of a species.

    Parameters
    ----------
    lattice : (3, 3) float64
        Rows, angstrom, Niggli reduced.
    positions : (n, 3) float64
        Fractional.
    kinds : (n,) int
        Species as numbers.
    """

    def __init__(self, lattice: np.ndarray, positions: np.ndarray, kinds: np.ndarray) -> None:
        self.lattice, self.positions, self.kinds = lattice, positions, kinds
        self._members = {kind: np.flatnonzero(kinds == kind) for kind in np.unique(kinds)}
        # a vector shorter than half of every distance between lattice planes has coordinates within 1/2
        self._safe_square = 0.25 / np.max(np.sum(np.linalg.inv(lattice) ** 2, axis=0))

    def nearest(self, points: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the nearest site of the right species for every point.

        Parameters
        ----------
        points : (..., n, 3) float64
            Fractional.
        kinds : (n,) int

        Returns
        -------
        sites : (..., n) int64
        cells : (..., n, 3) int64
        displacements : (..., n, 3) float64
            Point minus site, Cartesian, angstrom.
        """
        sites, cells = np.empty(points.shape[:-1], dtype=np.int64), np.empty(points.shape, dtype=np.int64)
        displacements = np.empty(points.shape)
        for kind, members in self._members.items():
            atoms = np.flatnonzero(kinds == kind)
            offsets = points[..., atoms, None, :] - self.positions[members]
            images = offsets - np.rint(offsets)
            squares = np.sum((images @ self.lattice) ** 2, axis=-1)
            unsafe = squares.min(axis=-1) > self._safe_square
            images[unsafe] = shortest_images_reduced(images[unsafe], self.lattice)
            squares[unsafe] = np.sum((images[unsafe] @ self.lattice) ** 2, axis=-1)
            best = np.argmin(squares, axis=-1)[..., None]
            offset, image = (np.take_along_axis(a, best[..., None], axis=-2)[..., 0, :] for a in (offsets, images))
            sites[..., atoms] = members[best[..., 0]]
            cells[..., atoms, :] = np.rint(offset - image)
            displacements[..., atoms, :] = image @ self.lattice
        return sites, cells, displacements

    def origins(self, points: np.ndarray, kinds: np.ndarray, limit: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
        """Propose shifts of the atoms that put them close to the sites.

        An atom of the rarest species is put on each site of that species, for every such atom (at most 32); a sample
        of the atoms judges. The best few shifts follow ``t <- t - mean(u)`` with the nearest sites of all atoms.

        Parameters
        ----------
        points : (n, 3) float64
            Atoms, fractional.
        kinds : (n,) int
        limit : float
            Mean square (angstrom^2) of interest: shifts that start beyond four times this are dropped.

        Returns
        -------
        shifts : (m, 3) float64
            Distinct, best first.
        mean_squares : (m,) float64
            Mean square distance to the nearest sites: no bijection is closer near this shift.
        """
        values, counts = np.unique(self.kinds, return_counts=True)
        rarest = values[np.argmin(counts)]
        anchors = _sample(np.flatnonzero(kinds == rarest), _MAX_ANCHORS)
        judges = _sample(np.argsort(kinds, kind="stable"), _MAX_JUDGES)
        shifts = (self.positions[self.kinds == rarest][:, None] - points[anchors]).reshape(-1, 3)
        shifts, mean_squares = self._follow(points[judges], kinds[judges], shifts)
        shifts = self._distinct(shifts[mean_squares <= 4 * limit])
        mean_squares = np.zeros(len(shifts))
        for _ in range(3):
            shifts, mean_squares = self._follow(points, kinds, shifts)
        return shifts, mean_squares

    def _follow(self, points: np.ndarray, kinds: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Move every shift (m, 3) to mean displacement zero; return them with their mean squares, best first."""
        displacements = self.nearest(points + shifts[:, None], kinds)[2]
        means = displacements.mean(axis=1)
        mean_squares = np.mean(np.sum((displacements - means[:, None]) ** 2, axis=2), axis=1)
        best = np.argsort(mean_squares, kind="stable")
        return (shifts - means @ np.linalg.inv(self.lattice))[best], mean_squares[best]

    def _distinct(self, shifts: np.ndarray) -> np.ndarray:
        """Keep the first few shifts (m, 3) that differ by more than a lattice vector."""
        kept: list[np.ndarray] = []
        for shift in shifts:
            if kept:
                distances = np.linalg.norm(
                    shortest_images_reduced(shift - np.array(kept), self.lattice) @ self.lattice, axis=1
                )
                if distances.min() < _SAME_ORIGIN:
                    continue
            kept.append(shift)
            if len(kept) == _MAX_ORIGINS:
                break
        return np.array(kept).reshape(-1, 3)

    def assign(self, points: np.ndarray, kinds: np.ndarray, shift: np.ndarray, supercell: np.ndarray) -> Assignment:
        """Find the bijection of atoms to the sites of a supercell, and the shift, of least mean square displacement.

        Alternates the optimal bijection at fixed shift with ``t <- t - mean(u)`` until neither changes. Where the
        nearest sites are all different they are the optimal bijection.

        Parameters
        ----------
        points : (n, 3) float64
            Atoms, fractional in the parent's basis.
        kinds : (n,) int
        shift : (3,) float64
            Where to start.
        supercell : (3, 3) int64
            Rows in the parent's basis; holds as many sites of each species as there are atoms.
        """
        quotient = QuotientLattice(supercell)
        sites, cells, displacements = self.nearest(points + shift, kinds)
        for _ in range(20):
            if len(np.unique(quotient.index(cells) * len(self.positions) + sites)) < len(points):
                return self._assign_hungarian(points, kinds, shift, quotient)
            mean = displacements.mean(axis=0)
            shift = shift - mean @ np.linalg.inv(self.lattice)
            if np.linalg.norm(mean) < 1e-10:
                break
            sites, cells, displacements = self.nearest(points + shift, kinds)
        return self._rounded(points, shift, sites, cells)

    def _assign_hungarian(
        self, points: np.ndarray, kinds: np.ndarray, shift: np.ndarray, quotient: QuotientLattice
    ) -> Assignment:
        from scipy.optimize import linear_sum_assignment

        inverse = np.linalg.inv(quotient.supercell)
        blocks = []
        for kind, members in self._members.items():
            atoms = np.flatnonzero(kinds == kind)
            sites = np.repeat(members, quotient.order)
            cells = np.tile(quotient.representatives, (len(members), 1))
            offsets = points[atoms][:, None] + shift - self.positions[sites] - cells
            images = shortest_images(offsets @ inverse, quotient.supercell @ self.lattice) @ quotient.supercell
            blocks.append((atoms, sites, cells + np.rint(offsets - images).astype(np.int64), images @ self.lattice))
        n, moved, chosen = len(points), np.zeros(3), np.full(len(points), -1)
        sites, cells = np.empty(n, dtype=np.int64), np.empty((n, 3), dtype=np.int64)
        displacements = np.empty((n, 3))
        for _ in range(20):
            before = chosen.copy()
            for atoms, block_sites, block_cells, vectors in blocks:
                best = linear_sum_assignment(np.sum((vectors - moved) ** 2, axis=2))[1]
                rows = np.arange(len(atoms))
                chosen[atoms], sites[atoms] = best, block_sites[best]
                cells[atoms], displacements[atoms] = block_cells[rows, best], vectors[rows, best]
            moved = displacements.mean(axis=0)
            if np.array_equal(before, chosen):
                break
        return self._rounded(points, shift - moved @ np.linalg.inv(self.lattice), sites, cells)

    def _rounded(self, points: np.ndarray, shift: np.ndarray, sites: np.ndarray, cells: np.ndarray) -> Assignment:
        """Finish an assignment: mean displacement exactly zero, shift in the first primitive cell."""
        displacements = (points + shift - self.positions[sites] - cells) @ self.lattice
        mean = displacements.mean(axis=0)
        shift = shift - mean @ np.linalg.inv(self.lattice)
        whole = np.floor(shift + 1e-9).astype(np.int64)
        return Assignment(shift - whole, sites, cells - whole, displacements - mean)


def _sample(items: np.ndarray, size: int) -> np.ndarray:
    """Return at most `size` of the items, evenly spread."""
    return items[np.linspace(0, len(items) - 1, min(len(items), size)).round().astype(int)]
