"""The X-ray powder lines of a crystal: kinematic intensities without anomalous dispersion or thermal motion."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from .crystals.crystal import Crystal
from .errors import InvalidInputError

SAME_LINE = 1e-5
"""Lines nearer than this in 2 theta (degrees) are one."""

FAINT = 1e-5
"""Lines weaker than this part of the strongest are left out."""


@dataclass(frozen=True)
class Peak:
    """A line of an X-ray powder pattern.

    Attributes
    ----------
    two_theta : float
        Degrees.
    spacing : float
        d, angstrom.
    intensity : float
        Absolute, with multiplicity and Lorentz-polarisation factor.
    indices : tuple of (h, k, l)
        One per family of planes, in the crystal's own cell.
    """

    two_theta: float
    spacing: float
    intensity: float
    indices: tuple[tuple[int, int, int], ...]


def powder_pattern(crystal: Crystal, *, wavelength: float = 1.54184, largest: float = 90.0) -> tuple[Peak, ...]:
    """Return the X-ray powder pattern up to 2 theta = `largest` degrees; Cu K alpha by default.

    ``I = sum |F|^2 (1 + cos^2 2 theta) / (sin^2 theta cos theta)`` over the planes of a line, F with the atomic form
    factors ``f(s) = Z - 41.78214 s^2 sum_i a_i exp(-b_i s^2)``, s = sin(theta) / wavelength, a and b from pymatgen.

    Raises
    ------
    InvalidInputError
        When an element has no form factor.

    References
    ----------
    M. De Graef and M. E. McHenry, "Structure of Materials" (2nd ed., 2012), chapter 12.
    """
    hkl, lengths = _planes(crystal.lattice, 2 * np.sin(np.radians(largest) / 2) / wavelength)
    if not len(hkl):
        return ()
    theta = np.arcsin(np.clip(wavelength * lengths / 2, -1, 1))
    lorentz = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    intensities = 2 * np.abs(_structure_factors(crystal, hkl, lengths)) ** 2 * lorentz  # hkl and its opposite
    angles = np.degrees(2 * theta)
    starts = np.flatnonzero(np.diff(angles, prepend=-1.0) > SAME_LINE)
    peaks = []
    for start, end in zip(starts, [*starts[1:], len(angles)], strict=True):
        total = float(intensities[start:end].sum())
        peaks.append(Peak(float(angles[start]), float(1 / lengths[start]), total, _families(hkl[start:end])))
    strongest = max(p.intensity for p in peaks)
    return tuple(p for p in peaks if p.intensity > FAINT * strongest)


def _planes(lattice: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return indices (m, 3) with |g| <= reach, one of every pair of opposites, and |g|, shortest first."""
    limits = np.floor(reach * np.linalg.norm(lattice, axis=1) + 1e-9).astype(int)
    hkl = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in limits], indexing="ij"), -1).reshape(-1, 3)
    h, k, m = hkl.T
    hkl = hkl[(h > 0) | ((h == 0) & (k > 0)) | ((h == 0) & (k == 0) & (m > 0))]
    lengths = np.linalg.norm(hkl @ np.linalg.inv(lattice).T, axis=1)
    hkl, lengths = hkl[lengths <= reach], lengths[lengths <= reach]
    order = np.lexsort((-hkl[:, 2], -hkl[:, 1], -hkl[:, 0], lengths))
    return hkl[order], lengths[order]


def _structure_factors(crystal: Crystal, hkl: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    s2 = (lengths / 2) ** 2
    found = np.zeros(len(hkl), complex)
    kinds = np.array(crystal.species)
    for kind in dict.fromkeys(crystal.species):
        phases = np.exp(2j * np.pi * (hkl @ crystal.positions[kinds == kind].T)).sum(axis=1)
        for symbol, amount in re.findall(r"([A-Z][a-z]?)([\d.]*)", kind):
            number, table = _form_factor(symbol)
            form = number - 41.78214 * s2 * (table[:, 0] * np.exp(-table[:, 1] * s2[:, None])).sum(axis=1)
            found += float(amount or 1) * form * phases
    return found


@cache
def _tables() -> tuple[dict[str, list], list[str]]:
    """Return pymatgen's form factors, and the elements in the order of their atomic numbers."""
    place = files("pymatgen") / "analysis/diffraction/atomic_scattering_params.json"
    own = files("orderparam") / "data/elements.json"
    return json.loads(place.read_text(encoding="utf-8")), list(json.loads(own.read_text(encoding="utf-8")))


def _form_factor(symbol: str) -> tuple[int, np.ndarray]:
    factors, elements = _tables()
    if symbol not in factors or symbol not in elements:
        raise InvalidInputError(f"there is no X-ray form factor of {symbol}; powder lines need one of every element")
    return elements.index(symbol) + 1, np.array(factors[symbol], float)


def _families(hkl: np.ndarray) -> tuple[tuple[int, int, int], ...]:
    """Return one (h, k, l) per set of planes whose indices are permutations of each other up to signs."""
    found: defaultdict[tuple[int, ...], list[tuple[int, int, int]]] = defaultdict(list)
    for h, k, m in (*hkl.tolist(), *(-hkl).tolist()):
        found[tuple(sorted((abs(h), abs(k), abs(m))))].append((h, k, m))
    return tuple(max(planes) for planes in found.values())
