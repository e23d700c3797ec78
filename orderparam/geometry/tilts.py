"""Tilts of octahedra: rotations about the parent's axes, in phase or out of phase, and Glazer's symbol for them.

An octahedron that turns about an axis takes its four neighbours across that axis with it, the other way round. Along
the axis the next octahedron is free: it turns the same way (in phase, +) or the opposite one (out of phase, -). Both
patterns are two-colourings of the network of shared corners; in a perovskite they are the waves of the rotation field
at M and R of the cubic zone.

References
----------
A. M. Glazer, Acta Cryst. B28, 3384 (1972); C. J. Howard & H. T. Stokes, Acta Cryst. B54, 782 (1998), for the fifteen
systems and their space groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from .carried import CarriedOctahedra

GLAZER_TOLERANCE = 0.1
"""Tilts below this (degrees) are zero, and tilts that differ by less are equal."""

HOWARD_STOKES: dict[str, tuple[int, int]] = {
    "a0a0a0": (23, 221),
    "a0a0c+": (21, 127),
    "a0b+b+": (16, 139),
    "a+a+a+": (3, 204),
    "a+b+c+": (1, 71),
    "a0a0c-": (22, 140),
    "a0b-b-": (20, 74),
    "a-a-a-": (14, 167),
    "a0b-c-": (19, 12),
    "a-b-b-": (13, 15),
    "a-b-c-": (12, 2),
    "a0b+c-": (17, 63),
    "a+b-b-": (10, 62),
    "a+b-c-": (8, 11),
    "a+a+c-": (5, 137),
}
"""Glazer's number of every system and the number of its space group (Howard & Stokes 1998, Table 1)."""

ONLY_GLAZER: dict[str, tuple[int, int]] = {"a+b+b+": (2, 71), "a+b+c-": (4, 59), "a0b+c+": (15, 71)}
"""The systems that only Glazer lists, his number and the space group: its symmetry would let further tilts appear.

The other five of his 23 (6, 7, 9, 11, 18) give an in-phase and an out-of-phase tilt one letter, which no symmetry
makes equal: they are 4, 5, 8, 10 and 17.
"""


@dataclass(frozen=True)
class AxisTilt:
    """Rotations of all octahedra about one of the parent's axes, degrees.

    Attributes
    ----------
    axis : str
    in_phase, anti_phase : float or None
        Amplitudes of the two patterns; None where no corners are shared along the axis, so that there is no telling.
    alternating : float
        The part that alternates across the axis, both patterns together.
    other : float
        Root mean square of what is left: rotations in other patterns.
    mean, largest : float
        Of the absolute rotations.
    """

    axis: str
    in_phase: float | None
    anti_phase: float | None
    alternating: float
    other: float
    mean: float
    largest: float


@dataclass(frozen=True)
class Glazer:
    """A tilt system in Glazer's notation.

    Attributes
    ----------
    symbol : str
        In the parent's axes a, b, c, such as ``a-b+a-``.
    standard : str
        The same as Howard & Stokes (fifteen systems) or, beyond these, Glazer list it; empty where it is none of them.
    number, space_group : int or None
        Glazer's number of the system, and the space group of a structure with these tilts only.
    note : str
        What the symbol cannot say.
    """

    symbol: str
    standard: str
    number: int | None
    space_group: int | None
    note: str = ""


def axis_tilts(octahedra: CarriedOctahedra) -> tuple[AxisTilt, ...]:
    """Return the tilts about the three axes; the network must run along them."""
    omega, links = octahedra.rotation_vectors, octahedra.links
    along = links[:, 2] // 2  # ligands +1, -1, +2, ... lie along axes 1, 1, 2, ...
    found = []
    for axis, name in enumerate(octahedra.network.axis_names):
        has_phase = bool((along == axis).any())
        flips = [along != axis, np.ones(len(links), bool)]
        found_phases, alternating = _amplitudes(omega[:, axis], links, flips if has_phase else flips[:1])
        in_phase, anti_phase = found_phases if has_phase else (None, None)
        left = np.mean(omega[:, axis] ** 2) - alternating**2
        sizes = np.abs(omega[:, axis])
        found.append(
            AxisTilt(
                name,
                in_phase,
                anti_phase,
                alternating,
                float(np.sqrt(max(left, 0.0))),
                float(sizes.mean()),
                float(sizes.max()),
            )
        )
    return tuple(found)


def _amplitudes(values: np.ndarray, links: np.ndarray, flips: list[np.ndarray]) -> tuple[list[float], float]:
    """Fit values (N,) by patterns that change sign across the links `flips`; return their amplitudes and that of all.

    Every connected part of the network has amplitudes of its own, fitted together: where octahedra are missing the
    patterns are not orthogonal. A pattern that does not fit into the child's cell has none. The results are root mean
    squares over all octahedra.
    """
    patterns = [_pattern(links, flip, len(values)) for flip in flips]
    squares, total = np.zeros(len(flips)), 0.0
    parts = patterns[0][0]
    for part in np.unique(parts):
        members = parts == part
        basis = np.stack([signs[members] for _, signs in patterns], axis=1)
        found = np.linalg.pinv(basis) @ values[members]
        squares += members.sum() * found**2
        total += float(np.sum((basis @ found) ** 2))
    return [float(a) for a in np.sqrt(squares / len(values))], float(np.sqrt(total / len(values)))


def _pattern(links: np.ndarray, flips: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the connected part of every octahedron (n,) and its sign (n,), zero where no signs fit the part."""
    # the double cover: octahedron i in colour + is node i, in colour - node n + i
    i, j = links[:, :2].T
    target, mirrored = np.where(flips, j + n, j), np.where(flips, j, j + n)
    colour = _connected(np.concatenate([i, i + n]), np.concatenate([target, mirrored]), 2 * n)
    plus, minus = colour[:n], colour[n:]
    return _connected(i, j, n), np.where(plus == minus, 0.0, np.where(plus < minus, 1.0, -1.0))


def _connected(i: np.ndarray, j: np.ndarray, n: int) -> np.ndarray:
    """Return the lowest node that each of n nodes is linked to over pairs i, j: one number per connected part (n,)."""
    lowest = np.arange(n)
    while True:
        before, least = lowest.copy(), np.minimum(lowest[i], lowest[j])
        np.minimum.at(lowest, i, least)
        np.minimum.at(lowest, j, least)
        lowest = lowest[lowest]
        if np.array_equal(lowest, before):
            return lowest


def glazer_system(tilts: tuple[AxisTilt, ...], tolerance: float = GLAZER_TOLERANCE) -> Glazer:
    """Return Glazer's symbol of tilts about three axes, all of which have a phase.

    Equal letters stand for tilts of the same sign that differ by less than `tolerance` (degrees): symmetry makes no
    in-phase tilt equal to an out-of-phase one.

    Examples
    --------
    >>> angles = [("a", 9.2, 0.0), ("b", 0.0, 8.5), ("c", 0.0, 8.5)]
    >>> tilts = tuple(AxisTilt(axis, plus, minus, plus + minus, 0.0, 0.0, 0.0) for axis, plus, minus in angles)
    >>> glazer_system(tilts).symbol, glazer_system(tilts).space_group
    ('a+b-b-', 62)
    """
    signs, sizes, notes = [], [], []
    for tilt in tilts:
        plus, minus = tilt.in_phase or 0.0, tilt.anti_phase or 0.0
        larger, smaller = max(plus, minus), min(plus, minus)
        signs.append("0" if larger < tolerance else "+" if plus > minus else "-")
        sizes.append(larger if larger >= tolerance else 0.0)
        if smaller >= tolerance:
            notes.append(f"about {tilt.axis} both in phase ({plus:.2f}) and out of phase ({minus:.2f} degrees)")
    symbol = _symbol(signs, sizes, tolerance)
    known = HOWARD_STOKES | ONLY_GLAZER
    names = (
        _symbol([signs[k] for k in order], [sizes[k] for k in order], tolerance) for order in permutations(range(3))
    )
    standard = next((name for name in names if name in known), "")
    number, group = known.get(standard, (None, None))
    if standard not in HOWARD_STOKES:
        notes.append("none of the fifteen systems of Howard & Stokes: its symmetry would let further tilts appear")
    return Glazer(symbol, standard, number, group, "; ".join(notes))


def _symbol(signs: list[str], sizes: list[float], tolerance: float) -> str:
    letters = []
    for i in range(3):
        equal = [j for j in range(i) if signs[j] == signs[i] and abs(sizes[j] - sizes[i]) < tolerance]
        letters.append(letters[equal[0]] if equal else "abc"[i])
    return "".join(letter + sign for letter, sign in zip(letters, signs, strict=True))
