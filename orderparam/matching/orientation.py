"""Lay one finite set of points onto another: rotation, hand and order of the points."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from orderparam.errors import MatchingError
from orderparam.pointgroup import best_orthogonal

KEPT = 40
"""Orientations that are refined on all points."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """One way of laying a set of points (the child) onto another one (the parent).

    Attributes
    ----------
    rotation : (3, 3) float64
        Orthogonal, turns the child's points about their mean; improper if `mirrored`.
    order : (n,) int64
        Point ``order[i]`` of the child lies on point i of the parent.
    displacements : (n, 3) float64
        Turned child minus parent, angstrom: mean zero, and no turn of the whole (sum x_i x u_i = 0).
    mirrored : bool
        Whether the child's mirror image is laid onto the parent.
    """

    rotation: np.ndarray
    order: np.ndarray
    displacements: np.ndarray
    mirrored: bool

    @property
    def rms(self) -> float:
        """Root mean square displacement, angstrom."""
        return float(np.sqrt(np.mean(np.sum(self.displacements**2, axis=1))))


def overlays(
    parent: np.ndarray,
    child: np.ndarray,
    kinds: tuple[np.ndarray, np.ndarray],
    symmetry: np.ndarray,
    *,
    mirror: bool = False,
) -> list[Overlay]:
    """Return the ways of laying a child onto a parent, the least root mean square first.

    Two points of the parent are laid onto every pair of like points of the child; the best orientations by nearest
    points are refined: the best bijection of like points and the best rotation (Kabsch) in turn, until neither changes.

    Parameters
    ----------
    parent, child : (n, 3) float64
        Positions about their means, angstrom.
    kinds : pair of (n,) int
        Species of both as numbers.
    symmetry : (m, n) int
        Permutations of the parent's points by its group; ways that differ by one of them count as one.
    mirror : bool
        Try the child's mirror image instead.

    Raises
    ------
    MatchingError
        When the two do not hold the same points.
    """
    if not np.array_equal(np.sort(kinds[0]), np.sort(kinds[1])):
        raise MatchingError("the two sets do not hold the same atoms")
    hand = -1.0 if mirror else 1.0
    starts = _orientations(parent, hand * child, kinds)
    found: dict[bytes, Overlay] = {}
    for start in starts:
        order, rotation = _refine(parent, hand * child, kinds, start)
        key = _canonical(order, symmetry)
        moved = hand * child[order] @ rotation.T - parent
        overlay = Overlay(hand * rotation, order, moved, mirror)
        if key not in found or overlay.rms < found[key].rms:
            found[key] = overlay
    return sorted(found.values(), key=lambda overlay: round(overlay.rms, 9))


def _canonical(order: np.ndarray, symmetry: np.ndarray) -> bytes:
    """Return a key that all orders share which differ by an operation of the parent."""
    images = np.empty_like(symmetry)
    np.put_along_axis(images, symmetry, np.broadcast_to(order, symmetry.shape), axis=1)
    return min(row.tobytes() for row in images)


def _orientations(parent: np.ndarray, child: np.ndarray, kinds: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the proper rotations (m, 3, 3) to start from, best first."""
    first, second = _anchors(parent, kinds[0])
    mine = np.flatnonzero(kinds[1] == kinds[0][first])
    others = np.flatnonzero(kinds[1] == kinds[0][second])
    target = _with_normal(parent[[first, second]])
    pairs = [(a, b) for a in mine for b in others if np.linalg.norm(np.cross(child[a], child[b])) > 1e-3]
    rotations = [best_orthogonal(_with_normal(child[[a, b]]), target) for a, b in pairs]
    if not rotations:
        raise MatchingError("the child's atoms lie on one line: it is no distortion of this parent")
    found = np.array(rotations)
    costs = np.array([_nearest_squares(parent, child @ rotation.T, kinds) for rotation in found])
    best = np.argsort(costs.round(9), kind="stable")
    return found[best[:KEPT]]


def _nearest_squares(parent: np.ndarray, images: np.ndarray, kinds: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the sum of squared distances to the nearest like point, both ways."""
    gaps = np.sum((parent[:, None] - images) ** 2, axis=2)
    gaps[kinds[0][:, None] != kinds[1]] = np.inf
    return float(gaps.min(axis=0).sum() + gaps.min(axis=1).sum())


def _anchors(places: np.ndarray, kinds: np.ndarray) -> tuple[int, int]:
    """Return two points far from one line through the mean, of species as rare as possible."""
    counts = np.bincount(kinds)[kinds]
    pairs = np.array(list(combinations(range(len(places)), 2)))
    areas = np.linalg.norm(np.cross(places[pairs[:, 0]], places[pairs[:, 1]]), axis=1)
    wide = np.flatnonzero(areas > 0.3 * areas.max())
    best = min(wide, key=lambda i: (counts[pairs[i, 0]] * counts[pairs[i, 1]], -round(float(areas[i]), 6)))
    return int(pairs[best, 0]), int(pairs[best, 1])


def _with_normal(pair: np.ndarray) -> np.ndarray:
    """Return unit vectors along two vectors and their normal (3, 3)."""
    normal = np.cross(*pair)
    rows = np.array([*pair, normal])
    return rows / np.linalg.norm(rows, axis=1)[:, None]


def _refine(
    parent: np.ndarray, child: np.ndarray, kinds: tuple[np.ndarray, np.ndarray], rotation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Improve order and rotation in turn until the order stays."""
    from scipy.optimize import linear_sum_assignment

    order = np.full(len(parent), -1)
    for _ in range(30):
        before, images = order, child @ rotation.T
        order = np.empty(len(parent), int)
        for kind in np.unique(kinds[0]):
            mine, theirs = np.flatnonzero(kinds[0] == kind), np.flatnonzero(kinds[1] == kind)
            squares = np.sum((parent[mine][:, None] - images[theirs]) ** 2, axis=2)
            order[mine] = theirs[linear_sum_assignment(squares)[1]]
        rotation = best_orthogonal(child[order], parent)
        if np.array_equal(order, before):
            break
    return order, rotation
