"""Irreps of site-symmetry groups that a displacement can have: Mulliken's names, and the local axes of each.

A displacement at a site is a vector; its site group splits it into invariant parts (A2u along the axis and Eu across
it for 4/mmm). Names from the standard character tables, as in Bradley & Cracknell (1972), table 2.2, and SITESYM of
the Bilbao server.
"""

from __future__ import annotations

import numpy as np

from orderparam.parent import Parent
from orderparam.spacegroup import point_group

from .isotropy import orthonormal_rows
from .modes import SiteBlock

_AXIAL = {
    # point group: name along the axis (the plane's normal for m), name across it
    "2": ("A", "B"),
    "m": ("A''", "A'"),
    "2/m": ("Au", "Bu"),
    "4": ("A", "E"),
    "-4": ("B", "E"),
    "4/m": ("Au", "Eu"),
    "422": ("A2", "E"),
    "4mm": ("A1", "E"),
    "-42m": ("B2", "E"),
    "4/mmm": ("A2u", "Eu"),
    "3": ("A", "E"),
    "-3": ("Au", "Eu"),
    "32": ("A2", "E"),
    "3m": ("A1", "E"),
    "-3m": ("A2u", "Eu"),
    "6": ("A", "E1"),
    "-6": ("A''", "E'"),
    "6/m": ("Au", "E1u"),
    "622": ("A2", "E1"),
    "6mm": ("A1", "E1"),
    "-62m": ("A2''", "E'"),
    "-6m2": ("A2''", "E'"),
    "6/mmm": ("A2u", "E1u"),
}
_ISOTROPIC = {"1": "A", "-1": "Au", "23": "T", "m-3": "Tu", "432": "T1", "-43m": "T2", "m-3m": "T1u"}
_ORTHORHOMBIC = {"222": ("B1", "B2", "B3"), "mmm": ("B1u", "B2u", "B3u")}


def displacement_blocks(parent: Parent) -> tuple[SiteBlock, ...]:
    """Return the displacements of every orbit of a parent, split by the irreps of the site groups.

    Orthorhombic site groups leave the order of B1, B2 and B3 to a choice of axes: here z, y and x are the local axes
    nearest to the conventional c, b and a of the parent (for mm2: z along its twofold axis).
    """
    blocks = []
    rotations = parent.rotations_cart
    for first, sites in parent.orbit_sites().items():
        keep = parent.targets[:, first] == first
        symbol = point_group(parent.group.rotations[keep])
        parts = _vector_parts(symbol, rotations[keep], _directions(parent))
        for name, axes in parts:
            everywhere = np.zeros((parent.crystal.n_sites, len(axes), 3))
            for site in sites:
                carrier = int(np.argmax(parent.targets[:, first] == site))
                everywhere[site] = axes @ rotations[carrier].T
            blocks.append(SiteBlock(first, name, everywhere))
    return tuple(blocks)


def _directions(parent: Parent) -> np.ndarray:
    """Return unit vectors along the conventional axes a, b, c as rows."""
    rows = parent.conventional @ parent.lattice
    return rows / np.linalg.norm(rows, axis=1)[:, None]


def _vector_parts(symbol: str, rotations: np.ndarray, directions: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the isotypic parts of a vector under a site group: names and orthonormal axes (r, 3)."""
    if symbol in _ISOTROPIC:
        return [(_ISOTROPIC[symbol], np.eye(3))]
    if symbol in _ORTHORHOMBIC:
        z, y, x = _orthorhombic_axes(rotations, directions)
        return [(name, axis[None]) for name, axis in zip(_ORTHORHOMBIC[symbol], (z, y, x), strict=True)]
    if symbol == "mm2":
        axis = orthonormal_rows(rotations.mean(axis=0))[0]
        y, x = (v for v in _orthorhombic_axes(rotations, directions) if abs(v @ axis) < 0.5)
        return [("A1", axis[None]), ("B1", x[None]), ("B2", y[None])]
    along, across = _AXIAL[symbol]
    axis = _main_axis(rotations)
    return [(along, axis[None]), (across, orthonormal_rows(np.eye(3) - np.outer(axis, axis)))]


def _main_axis(rotations: np.ndarray) -> np.ndarray:
    """Return the unit vector along the axis of highest order (for m: the normal of the mirror plane)."""
    proper = rotations * np.linalg.det(rotations)[:, None, None]
    turning = proper[np.abs(np.trace(proper, axis1=1, axis2=2) - 3) > 1e-6]
    traces = np.trace(turning, axis1=1, axis2=2)
    # the order of a proper rotation grows with its trace: 2, 3, 4, 6 have -1, 0, 1, 2
    highest = turning[int(np.argmax(traces))]
    axis = np.linalg.svd(highest - np.eye(3))[2][-1]
    return axis * (1.0 if axis[np.argmax(np.abs(axis) > 1e-6)] > 0 else -1.0)


def _orthorhombic_axes(rotations: np.ndarray, directions: np.ndarray) -> list[np.ndarray]:
    """Return the three axes of an orthorhombic site group: those nearest to c, b and a."""
    # a symmetric matrix that is invariant under the group is diagonal in its axes
    generic = np.diag([1.0, 2.3, 4.1]) + 0.37 * (np.ones((3, 3)) - np.eye(3))
    mean = (rotations @ generic @ np.swapaxes(rotations, 1, 2)).mean(axis=0)
    axes = list(np.linalg.eigh(mean)[1].T)
    ordered = []
    for direction in directions[::-1]:
        cosines = [round(abs(float(axis @ direction)), 6) for axis in axes]
        axis = axes.pop(int(np.argmax(cosines)))
        ordered.append(axis * (1.0 if axis[np.argmax(np.abs(axis) > 1e-6)] > 0 else -1.0))
    return ordered
