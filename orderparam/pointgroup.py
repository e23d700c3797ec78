"""Point groups of finite sets: their operations, Schoenflies symbols, and the axes that irreps are named by.

An operation is an orthogonal matrix about the mean of the points. Its *turn* is its proper part, R det R: the axis of
a mirror plane is its normal, that of an S4 its fourfold axis.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from .crystals.pointset import PointSet, report_point_group

CRYSTALLOGRAPHIC_ORDERS = {1, 2, 3, 4, 6}
_PARALLEL = 1e-2


def find_operations(points: PointSet, tolerance: float) -> np.ndarray:
    """Return all orthogonal matrices that map a set of at least two directions onto itself.

    Two points fix an operation up to a mirror plane; all pairs of points of the same species, distances and angle are
    tried, each refined on all points (Kabsch).

    Parameters
    ----------
    points : PointSet
        Not all on one line.
    tolerance : float
        Largest distance of an image from a point, angstrom.

    Returns
    -------
    (n, 3, 3) float64
        The identity first.
    """
    places, kinds = points.centred, np.unique(points.species, return_inverse=True)[1]
    radii = np.linalg.norm(places, axis=1)
    first, second = _anchors(places, kinds, radii)
    same = [np.flatnonzero((kinds == kinds[a]) & (np.abs(radii - radii[a]) < 2 * tolerance)) for a in (first, second)]
    gap = np.linalg.norm(places[first] - places[second])
    frame = _frame(places[first], places[second])
    found: list[np.ndarray] = []
    for a in same[0]:
        distances = np.linalg.norm(places[same[1]] - places[a], axis=1)
        for b in same[1][np.abs(distances - gap) < 4 * tolerance]:
            if a == b or np.linalg.norm(np.cross(places[a], places[b])) < tolerance:
                continue
            for hand in (1.0, -1.0):
                target = _frame(places[a], places[b]) * np.array([1.0, 1.0, hand])[:, None]
                operation = _refined(target.T @ frame, places, kinds, tolerance)
                if operation is not None and not any(np.abs(operation - known).max() < 1e-3 for known in found):
                    found.append(operation)
    found.sort(key=lambda operation: -round(float(np.trace(operation)), 6))
    return np.array(found)


def _anchors(places: np.ndarray, kinds: np.ndarray, radii: np.ndarray) -> tuple[int, int]:
    """Return two points off one line through the mean, with as few like them as possible."""
    counts = [int(((kinds == k) & (np.abs(radii - r) < 1e-2)).sum()) for k, r in zip(kinds, radii, strict=True)]
    pairs = np.array(list(combinations(range(len(places)), 2)))
    areas = np.linalg.norm(np.cross(places[pairs[:, 0]], places[pairs[:, 1]]), axis=1)
    wide = [i for i in range(len(pairs)) if areas[i] > 0.3 * areas.max()]
    a, b = pairs[min(wide, key=lambda i: (counts[pairs[i, 0]] * counts[pairs[i, 1]], -round(areas[i], 3)))]
    return int(a), int(b)


def _frame(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the orthonormal frame (rows) that two directions span."""
    x = a / np.linalg.norm(a)
    y = b - (b @ x) * x
    y = y / np.linalg.norm(y)
    return np.array([x, y, np.cross(x, y)])


def _refined(operation: np.ndarray, places: np.ndarray, kinds: np.ndarray, tolerance: float) -> np.ndarray | None:
    """Fit an operation to the points that it permutes; None where it does not permute them."""
    for slack in (10.0, 1.0):
        images = places @ operation.T
        distances = np.linalg.norm(images[:, None] - places, axis=2)
        distances[kinds[:, None] != kinds] = np.inf
        target = distances.argmin(axis=1)
        if distances.min(axis=1).max() > slack * tolerance or len(np.unique(target)) < len(places):
            return None
        hand = round(float(np.linalg.det(operation)))
        operation = best_orthogonal(places, places[target], hand)
    return operation


def best_orthogonal(start: np.ndarray, end: np.ndarray, hand: int = 1) -> np.ndarray:
    """Return the orthogonal R of determinant `hand` for which sum |R start - end|^2 is least (both (n, 3)).

    References
    ----------
    W. Kabsch, Acta Cryst. A32, 922 (1976).
    """
    left, _, right = np.linalg.svd(end.T @ start)
    signs = np.array([1.0, 1.0, hand * np.sign(np.linalg.det(left) * np.linalg.det(right))])
    return (left * signs) @ right


def schoenflies(points: PointSet, operations: np.ndarray) -> str:
    """Name the point group of a set, crystallographic or not; `operations` are those of `find_operations`.

    Examples
    --------
    >>> import numpy as np
    >>> turns = 2 * np.pi * np.arange(5) / 5
    >>> ring = PointSet(np.array([np.cos(turns), np.sin(turns), 0 * turns]).T, ("C",) * 5)
    >>> schoenflies(ring, find_operations(ring, 1e-3))
    'D5h'
    """
    if points.rank < 2:
        return "Kh" if points.rank == 0 else "Dinfh" if _is_symmetric_line(points) else "Cinfv"
    proper = operations[np.linalg.det(operations) > 0]
    improper = operations[np.linalg.det(operations) < 0]
    orders = turn_orders(proper)
    centred = bool((np.abs(improper + np.eye(3)).max(axis=(1, 2)) < _PARALLEL).any())
    if _n_axes(proper[orders == 3]) > 1:
        letter = "I" if 5 in orders else "O" if 4 in orders else "T"
        return letter + ("" if not len(improper) else "h" if centred else "d")
    if len(proper) == 1:
        return "C1" if not len(improper) else "Ci" if centred else "Cs"
    return _axial_symbol(proper, improper)


def checked_point_group(points: PointSet, tolerance: float) -> tuple[str, str]:
    """Return the Schoenflies symbol by the operations of a set, and the one by pymatgen's analyser.

    Where they differ the operations are right, since each of them maps the set onto itself: the analyser takes a
    spherical top for a cubic group (a twisted octahedron, D3, for T).
    """
    reported = report_point_group(points, tolerance)
    own = schoenflies(points, find_operations(points, tolerance)) if points.rank > 1 else reported
    return own, reported


def _axial_symbol(proper: np.ndarray, improper: np.ndarray) -> str:
    """Name a group with one main axis, from its proper and improper operations."""
    orders = turn_orders(proper)
    n = int(orders.max())
    axis = turn_axes(proper[orders == n])[0]
    along = np.abs(turn_axes(proper[orders == 2]) @ axis) if 2 in orders else np.zeros(0)
    mirrors = improper[turn_orders(improper) == 2]
    normals = np.abs(turn_axes(mirrors) @ axis) if len(mirrors) else np.zeros(0)
    flat = bool((normals > 1 - _PARALLEL).any())
    if (along < _PARALLEL).any():
        return f"D{n}" + ("" if not len(improper) else "h" if flat else "d")
    if flat or not len(improper):
        return f"C{n}h" if flat else f"C{n}"
    return f"C{n}v" if len(mirrors) else f"S{2 * n}"


def _is_symmetric_line(points: PointSet) -> bool:
    """Whether the points of a line lie as they do backwards."""
    line = points.centred @ np.linalg.svd(points.centred)[2][0]
    order = np.argsort(line)
    kinds = np.array(points.species)[order]
    return bool(np.abs(line[order] + line[order][::-1]).max() < 1e-2 and (kinds == kinds[::-1]).all())


def turn_orders(operations: np.ndarray) -> np.ndarray:
    """Return the order (n,) of the turn of every operation (n, 3, 3)."""
    traces = np.trace(operations, axis1=1, axis2=2) * np.linalg.det(operations)
    angles = np.arccos(np.clip((traces - 1) / 2, -1, 1)) / (2 * np.pi)
    orders = np.ones(len(operations), int)
    for i, angle in enumerate(angles):
        if angle > 1e-3:
            # the least n for which n turns come round
            orders[i] = next(n for n in range(2, 400) if abs(n * angle - round(n * angle)) < 2e-3 * n**0.5)
    return orders


def turn_axes(operations: np.ndarray) -> np.ndarray:
    """Return unit vectors (n, 3) along the axes of turns that are not the identity."""
    turns = operations * np.linalg.det(operations)[:, None, None]
    axes = np.linalg.svd(turns - np.eye(3))[2][:, -1]
    return axes * np.where(np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1) < 0, -1.0, 1.0)


def _n_axes(operations: np.ndarray) -> int:
    return len(distinct_axes(operations)) if len(operations) else 0


def distinct_axes(operations: np.ndarray) -> np.ndarray:
    """Return the axes (m, 3) of turns, each once."""
    kept: list[np.ndarray] = []
    for axis in turn_axes(operations):
        if not any(abs(axis @ known) > 1 - _PARALLEL**2 for known in kept):
            kept.append(axis)
    return np.array(kept).reshape(-1, 3)


# --- axes -----------------------------------------------------------------------------------------------------------


def crystal_axes(points: PointSet, operations: np.ndarray) -> tuple[str, np.ndarray]:
    """Return the crystal system of a crystallographic group and a right-handed frame x, y, z (rows) along its axes.

    z is the axis of highest order (monoclinic: y). Where that leaves a choice it is made by the points alone, as
    chemists do: of two classes of twofold axes or upright mirror planes x takes the one that holds more points; in
    D2, D2h and C2v the normal of a planar set is x, and z or y the axis that holds more points.

    References
    ----------
    R. S. Mulliken, "Report on notation for the spectra of polyatomic molecules", J. Chem. Phys. 23, 1997 (1955).
    """
    turning = operations[turn_orders(operations) > 1]
    orders = turn_orders(turning)
    twofold = distinct_axes(turning[orders == 2])
    highest = int(orders.max(initial=1))
    if _n_axes(turning[orders == 3]) > 1:
        axes = distinct_axes(turning[orders == 4]) if 4 in orders else twofold
        return "cubic", _right_handed(axes[0], axes[1])
    if highest in (4, 3, 6):
        z = distinct_axes(turning[orders == highest])[0]
        flat = [axis for axis in twofold if abs(axis @ z) < _PARALLEL]
        flat += [np.cross(z, axis) for axis in flat]
        x = max(flat, key=lambda axis: _upright_key(points, turning, axis, z), default=np.linalg.svd(z[None])[2][1])
        return "tetragonal" if highest == 4 else "hexagonal", _right_handed(x, np.cross(z, x))
    if len(twofold) == 3:
        z, x = _orthorhombic(points, turning, twofold)
        return "orthorhombic", _right_handed(x, np.cross(z, x))
    if len(twofold) == 1:
        x = np.linalg.svd(twofold[0][None])[2][1]
        return "monoclinic", _right_handed(x, twofold[0])
    return "triclinic", np.eye(3)


def _right_handed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the orthonormal frame (rows) with x and y near the given directions."""
    return _frame(x, y)


def _holds(points: PointSet, axis: np.ndarray) -> tuple[int, float]:
    """Return how many points lie on an axis through the mean, and how near to it they are on the whole."""
    off = np.linalg.norm(np.cross(points.centred, axis), axis=1)
    away = np.linalg.norm(points.centred, axis=1) > 0.05
    return int((off < 0.05)[away].sum()), -round(float(off.sum()), 3)


def _upright_key(points: PointSet, turning: np.ndarray, x: np.ndarray, z: np.ndarray) -> tuple[object, ...]:
    """Rank a horizontal direction as x: a proper twofold axis, in a mirror plane, then by the points there."""
    normal = np.cross(z, x)
    twofold = turning[turn_orders(turning) == 2]
    along, across = (np.abs(turn_axes(twofold) @ axis) > 1 - _PARALLEL for axis in (x, normal))
    proper = np.linalg.det(twofold) > 0
    is_axis, in_mirror = bool((along & proper).any()), bool((across & ~proper).any())
    return (is_axis, in_mirror, *(_holds(points, x) if is_axis else _in_plane(points, normal)))


def _orthorhombic(points: PointSet, turning: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z and x of D2, D2h and C2v."""
    proper = turning[np.linalg.det(turning) > 0]
    normal = np.linalg.svd(points.centred)[2][-1] if points.rank == 2 else np.zeros(3)
    polar = turn_axes(proper)[0] if len(proper) == 1 else np.zeros(3)
    flat = [round(abs(float(axis @ normal)), 3) for axis in axes]
    z = max(range(3), key=lambda i: (round(abs(float(axes[i] @ polar)), 3), -flat[i], *_holds(points, axes[i])))
    rest = [i for i in range(3) if i != z]
    if polar.any():  # y lies in the mirror plane with more points
        x = max(rest, key=lambda i: (flat[i], _in_plane(points, axes[i])))
    else:
        x = min(rest, key=lambda i: (-flat[i], *_holds(points, axes[i])))
    return axes[z], axes[x]


def _in_plane(points: PointSet, normal: np.ndarray) -> tuple[int, float]:
    """Return how many points lie in a plane through the mean, and how near to it they are on the whole."""
    off = np.abs(points.centred @ normal)
    return int((off < 0.05).sum()), -round(float(off.sum()), 3)
