"""One order parameter in several domains, written so that what differs is seen: ``(0,a,-a)``, ``(a,0,-a)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

ALIKE = 1e-5
"""Components (angstrom) and strains that differ by less are one."""

SHORT = 6
"""Up to so many components are written all; of longer vectors only those that are not zero."""


@dataclass(frozen=True)
class Directions:
    """One order parameter in several domains, as text.

    Attributes
    ----------
    texts : tuple of str
        Per domain.
    legend : str
        What the letters mean, ``a = 0.416``; empty where numbers are written.
    long : bool
        Whether zeros are left out: ``5:a 6:-a``.
    """

    texts: tuple[str, ...]
    legend: str
    long: bool


def directions_of(components: Sequence[np.ndarray]) -> Directions:
    """Write the components (copies, dimension) of an order parameter in every domain, the first being the child's.

    Sizes that recur in all domains are letters; where operations mix components into new sizes, numbers are written.
    Copies that point the way of a larger one tell nothing new and are left out.
    """
    kept = _different_copies(components[0])
    vectors = np.array([c[kept] for c in components])
    sizes = _sizes(vectors[0])
    gaps = np.abs(np.abs(vectors)[..., None] - np.array([0.0, *sizes]))
    lettered = len(sizes) <= len(ascii_lowercase) and bool((gaps.min(axis=-1) < ALIKE).all())
    names = gaps.argmin(axis=-1) if lettered else None
    long = vectors.shape[-1] > SHORT
    texts = []
    for i, rows in enumerate(vectors):
        words = [
            [_word(value, None if names is None else int(names[i, r, n])) for n, value in enumerate(row)]
            for r, row in enumerate(rows)
        ]
        texts.append(_sparse(words) if long else f"({'|'.join(','.join(row) for row in words)})")
    legend = ", ".join(f"{letter} = {size:.3f}" for letter, size in zip(ascii_lowercase, sizes, strict=False))
    return Directions(tuple(texts), legend if lettered else "", long)


def _different_copies(components: np.ndarray) -> list[int]:
    """Return the copies, largest first, that are no multiples of one before; always at least one."""
    kept: list[int] = []
    for copy in np.argsort(-np.linalg.norm(components, axis=1), kind="stable"):
        row = components[copy]
        along = [components[k] * (components[k] @ row) / (components[k] @ components[k]) for k in kept]
        if not kept or min(np.abs(row - part).max() for part in along) > ALIKE:
            kept.append(int(copy))
    return kept


def _sizes(components: np.ndarray) -> list[float]:
    """Return the different sizes of the components that are not zero, in the order in which they stand."""
    sizes: list[float] = []
    for value in np.abs(components).ravel():
        if value > ALIKE and all(abs(value - size) > ALIKE for size in sizes):
            sizes.append(float(value))
    return sizes


def _word(value: float, name: int | None) -> str:
    """Write one component: a signed letter by the number of its size (0 for zero), or a number."""
    if name is None:
        text = f"{value:.2f}"
        return "0" if float(text) == 0 else text
    return ("-" if value < 0 else "") + ascii_lowercase[name - 1] if name else "0"


def _sparse(words: Sequence[Sequence[str]]) -> str:
    """Write the components that are not zero with their numbers, copies behind a bar."""
    rows = [" ".join(f"{n}:{word}" for n, word in enumerate(row, start=1) if word != "0") for row in words]
    return " | ".join(rows)
