"""Wave vectors as people write them: one copy modulo the reciprocal lattice, in fractions."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

LARGEST_DENOMINATOR = 1000
"""Components are written as fractions with denominators up to this."""

_STEPS = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), -1).reshape(-1, 3)


def printed_copy(k: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the copy of a wave vector, modulo the reciprocal lattice, that people print.

    That with the smallest sum of absolute components; of several that with the fewest negative ones; of several the one
    given, if it is among them, else the one with the smallest first components: (0,0,1) for the M point (1,1,1) of a
    body-centred lattice, (0,1,0) for (0,-1,0) of a face-centred one, (0,0,3/2) for T of a rhombohedral one. In a
    primitive lattice all components are in (-1/2, 1/2]. Unlike the first zone's, this choice does not depend on the
    lattice parameters.

    Parameters
    ----------
    k : (3,)
        Conventional reciprocal basis.
    basis : (3, 3)
        The primitive vectors (rows) in the conventional basis.

    Returns
    -------
    (3,) float64
    """
    k = np.asarray(k, float)
    primitive = basis @ k
    nearest = (primitive - np.floor(primitive) + _STEPS) @ np.linalg.inv(basis).T
    copies = np.round(np.vstack([k, nearest]), 9) + 0.0
    sizes = np.abs(copies)
    other = np.arange(len(copies)) > 0
    keys = np.column_stack([np.round(sizes.sum(axis=1), 6), (copies < 0).sum(axis=1), other, sizes, -copies])
    return copies[np.lexsort(keys.T[::-1])[0]]


def fractions_text(k: Iterable[float]) -> str:
    """Return a wave vector as text.

    Examples
    --------
    >>> fractions_text((0.5, -1 / 3, 0))
    '1/2,-1/3,0'
    """
    return ",".join(str(Fraction(float(value)).limit_denominator(LARGEST_DENOMINATOR)) for value in k)
