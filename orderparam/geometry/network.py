"""Octahedra that share corners: found in the parent by coordination, without knowing one element from another.

A site is the centre of an octahedron where its six nearest neighbours form a shell of their own, in three nearly
straight and nearly perpendicular pairs. Octahedra form a network when any two of them have at most one ligand in common
and no ligand belongs to more than two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.neighbours import find_neighbours
from orderparam.parent import Parent

SHELL_GAP = 1.15
"""A seventh neighbour at least so many times further away than the sixth ends the shell of six."""

LONGEST_TO_SHORTEST = 1.45
"""Bonds of one octahedron differ by no more than this factor (La2CuO4, a long one, has 1.27)."""

BEND = np.cos(np.radians(65.0)), np.cos(np.radians(155.0))
"""Cosines: angles of neighbouring bonds lie within 90 +- 25 degrees, those of opposite ones above 155."""

ALONG = np.cos(np.radians(15.0))
"""Bonds this near to the parent's axes (cosine) run along them: layers are often buckled by a few degrees."""

UNTILTED = np.radians(0.5)
"""Octahedra turned by less against the parent's axes (radians) are not tilted in the parent."""


@dataclass(frozen=True, eq=False)
class OctahedralNetwork:
    """The corner-sharing octahedra of a parent, one per centre in its primitive cell.

    Attributes
    ----------
    parent : Parent
    axes : (3, 3)
        Unit vectors (rows, Cartesian) along the parent's conventional axes; where those are oblique, along a,
        perpendicular to a in the plane of a and b, and along c*.
    centres : (m,) int
        Primitive sites, empty where there is no such network.
    ligands, cells : (m, 6) int, (m, 6, 3) int
        Primitive site of each ligand, and its cell relative to the centre's. The order is +1, -1, +2, -2, +3, -3: three
        opposite pairs, right-handed, pair i the nearest to axis i.
    reason : str
        Why there is no network, empty where there is one.
    """

    parent: Parent
    axes: np.ndarray
    centres: np.ndarray
    ligands: np.ndarray
    cells: np.ndarray
    reason: str = ""

    @cached_property
    def bonds(self) -> np.ndarray:
        """Vectors from centre to ligands in the parent (m, 6, 3), Cartesian, angstrom."""
        positions = self.parent.crystal.positions
        return (positions[self.ligands] + self.cells - positions[self.centres][:, None]) @ self.parent.lattice

    @property
    def axis_names(self) -> tuple[str, str, str]:
        """What to call the axes."""
        cell = self.parent.conventional @ self.parent.lattice
        oblique = np.abs(_unit(cell) - self.axes).max() > 1e-6
        return ("a", "c* x a", "c*") if oblique else ("a", "b", "c")

    @cached_property
    def is_aligned(self) -> bool:
        """Whether the octahedra stand along the parent's axes: bonds along them, and no tilt in the parent itself."""
        pairs = _unit(self.bonds[:, ::2] - self.bonds[:, 1::2]) @ self.axes.T  # (m, pair, axis): 1 where not tilted
        along = np.abs(np.einsum("mia,ia->mi", _unit(self.bonds), np.repeat(self.axes, 2, axis=0)))
        # a cage that is stretched but not turned has a symmetric map from the axes to its pairs
        turned = np.abs(pairs - np.swapaxes(pairs, 1, 2)).max(initial=0.0) / 2
        return bool(len(along)) and bool((along > ALONG).all()) and bool(turned < UNTILTED)

    @cached_property
    def links(self) -> np.ndarray:
        """Shared corners (p, 7) int, each once: two octahedra i and j, the number of the ligand in each, j's cell.

        Columns: i, j, ligand of i, ligand of j, and the three of the cell in which j stands relative to i's.
        """
        found = []
        for (i, a), (j, b) in product(np.ndindex(self.ligands.shape), repeat=2):
            cell = self.cells[i, a] - self.cells[j, b]
            if self.ligands[i, a] == self.ligands[j, b] and (i, a) < (j, b):
                found.append((i, j, a, b, *cell))
        return np.array(found, int).reshape(-1, 7)

    @cached_property
    def dimension(self) -> int:
        """In how many directions the network goes on: 3 perovskite, 2 layers, 1 chains, 0 single octahedra."""
        cell_of = {0: np.zeros(3, int)} if len(self.centres) else {}
        cycles, rank = [np.zeros(3, int)], 0
        while cell_of:
            before = len(cell_of)
            for i, j, _, _, *cell in self.links:
                for start, end, step in ((i, j, np.array(cell)), (j, i, -np.array(cell))):
                    if start in cell_of and end not in cell_of:
                        cell_of[end] = cell_of[start] + step
            if len(cell_of) == before:
                ends = [cell_of[i] + cell - cell_of[j] for i, j, _, _, *cell in self.links if i in cell_of]
                rank = int(np.linalg.matrix_rank(np.array([*cycles, *ends])))
                break
        return rank


def find_octahedra(parent: Parent) -> OctahedralNetwork:
    """Find the corner-sharing octahedra of a parent; where there are none, the network is empty and says why."""
    axes = orthonormal_axes(parent)
    shells = nearest_shells(parent.crystal)
    found = {site: shell for site in shells if (shell := _octahedron(shells[site], axes)) is not None}
    chosen: list[int] = []
    problem = ""
    for orbit in sorted(parent.orbit_sites().values(), key=lambda sites: _mean_bond(found, sites)):
        if not all(site in found for site in orbit):
            continue
        trial = sorted(chosen + orbit)
        refusal = _refuse(trial, found)
        if not refusal:
            chosen = trial
        elif not problem:
            problem = f"the octahedra around {parent.crystal.labels[orbit[0]]} {refusal}"
    if not chosen:
        reason = problem or "no site of the parent has six nearest neighbours that form an octahedron"
        return OctahedralNetwork(
            parent, axes, np.zeros(0, int), np.zeros((0, 6), int), np.zeros((0, 6, 3), int), reason
        )
    shells_chosen = [found[site] for site in chosen]
    ligands = np.array([shell.sites for shell in shells_chosen])
    return OctahedralNetwork(
        parent, axes, np.array(chosen), ligands, np.array([shell.cells for shell in shells_chosen])
    )


def orthonormal_axes(parent: Parent) -> np.ndarray:
    """Return unit vectors (rows) along the parent's conventional axes, made orthogonal where those are oblique."""
    basis = _unit(parent.conventional @ parent.lattice)
    if np.abs(basis @ basis.T - np.eye(3)).max() < 1e-6:
        return basis
    third = _unit(np.cross(basis[0], basis[1]))
    return np.array([basis[0], np.cross(third, basis[0]), third])


# --- shells of neighbours -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shell:
    """Neighbours of a site, nearest first.

    Attributes
    ----------
    sites, cells : (n,) int, (n, 3) int
        Primitive sites and the cells they stand in, relative to that of the central site.
    vectors : (n, 3)
        From the central site to them, Cartesian, angstrom.
    """

    sites: np.ndarray
    cells: np.ndarray
    vectors: np.ndarray

    @property
    def distances(self) -> np.ndarray:
        """Distances (n,), angstrom."""
        return np.linalg.norm(self.vectors, axis=1)

    def take(self, which: np.ndarray) -> Shell:
        """Return some of the neighbours, in the order asked for."""
        return Shell(self.sites[which], self.cells[which], self.vectors[which])


def nearest_shells(crystal: Crystal, reach: float = 2.5) -> dict[int, Shell]:
    """Return the neighbours of every site up to `reach` times the largest nearest-neighbour distance."""
    spacing = (abs(np.linalg.det(crystal.lattice)) / crystal.n_sites) ** (1 / 3)
    found = find_neighbours(crystal.lattice, crystal.positions, 2 * spacing)
    while len(np.unique(found.first)) < crystal.n_sites:
        spacing *= 1.5
        found = find_neighbours(crystal.lattice, crystal.positions, 2 * spacing)
    nearest = np.full(crystal.n_sites, np.inf)
    np.minimum.at(nearest, found.first, found.distances)
    found = find_neighbours(crystal.lattice, crystal.positions, reach * float(nearest.max()))
    ends = crystal.positions[found.first] + found.vectors @ np.linalg.inv(crystal.lattice)
    cells = np.rint(ends - crystal.positions[found.second]).astype(int)
    shells = {}
    for site in range(crystal.n_sites):
        mine = np.flatnonzero(found.first == site)
        order = mine[np.argsort(found.distances[mine].round(9), kind="stable")]
        shells[site] = Shell(found.second[order], cells[order], found.vectors[order])
    return shells


def first_shell(shell: Shell, allowed: np.ndarray, largest: int = 14) -> Shell:
    """Return the neighbours on `allowed` sites up to the widest gap (as a ratio) among the first of them."""
    mine = shell.take(np.flatnonzero(np.isin(shell.sites, allowed)))
    distances = mine.distances[: largest + 1]
    if len(distances) < 3:
        return mine.take(np.arange(len(distances)))
    ratios = distances[2:] / distances[1:-1]  # at least two neighbours
    return mine.take(np.arange(int(np.argmax(np.round(ratios, 6))) + 2))


def _octahedron(shell: Shell, axes: np.ndarray) -> Shell | None:
    """Return the six nearest neighbours in order, or None where they are no octahedron."""
    distances = shell.distances
    if len(distances) < 6 or distances[5] > LONGEST_TO_SHORTEST * distances[0]:
        return None
    if len(distances) > 6 and distances[6] < SHELL_GAP * distances[5]:
        return None
    directions = _unit(shell.vectors[:6])
    cosines = directions @ directions.T
    opposite = cosines.argmin(axis=1)
    if not (opposite[opposite] == np.arange(6)).all() or cosines.min(axis=1).max() > BEND[1]:
        return None
    beside = ~(np.eye(6, dtype=bool) | np.eye(6, dtype=bool)[opposite])
    if np.abs(cosines[beside]).max() > BEND[0]:
        return None
    return shell.take(_ordered(directions, opposite, axes))


def _ordered(directions: np.ndarray, opposite: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return the order +1, -1, +2, -2, +3, -3 in which pair i is the nearest to axis i, right-handed."""
    pairs = [(i, int(j)) for i, j in enumerate(opposite) if i < j]
    along = np.array([directions[i] - directions[j] for i, j in pairs]) @ axes.T  # (pair, axis)
    best = max(permutations(range(3)), key=lambda p: round(sum(abs(along[p[k], k]) for k in range(3)), 6))
    order = []
    for axis, pair in enumerate(best):
        first, second = pairs[pair]
        order += [first, second] if along[pair, axis] >= 0 else [second, first]
    if np.linalg.det(directions[order[::2]]) < 0:
        order[4], order[5] = order[5], order[4]
    return np.array(order)


def _mean_bond(found: dict[int, Shell], sites: list[int]) -> float:
    return float(np.mean([found[s].distances.mean() for s in sites])) if all(s in found for s in sites) else np.inf


def _refuse(centres: list[int], found: dict[int, Shell]) -> str:
    """Say why octahedra do not share corners only; empty where they do."""
    if set(centres) & {int(site) for centre in centres for site in found[centre].sites}:
        return "have centres that are ligands of others"
    owners: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for centre in centres:
        for site, cell in zip(found[centre].sites, found[centre].cells, strict=True):
            owners.setdefault(int(site), []).append((centre, tuple(int(n) for n in -cell)))
    shared: dict[tuple[int, int, tuple[int, ...]], int] = {}
    for mine in owners.values():
        for (one, here), (other, there) in product(mine, repeat=2):
            if (one, here) != (other, there):
                key = (one, other, tuple(b - a for a, b in zip(here, there, strict=True)))
                shared[key] = shared.get(key, 0) + 1
    most = max(shared.values(), default=0)
    if most > 1:
        return f"share {'edges' if most == 2 else 'faces'}, not corners only: tilts are not defined"
    if (crowd := max(len(mine) for mine in owners.values())) > 2:
        return f"meet at ligands that belong to {crowd} of them, not two: tilts are not defined"
    return ""


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
