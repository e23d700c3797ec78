"""How many invariants there are, by characters alone: Molien's theorem, the conditions of Landau and Lifshitz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.parent import Parent
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.symmetry.strata import Images

Degrees = tuple[int, ...]
"""The degree in every order parameter."""


@dataclass(frozen=True)
class Conditions:
    """Landau's and Lifshitz's conditions for a continuous transition by one irrep.

    Attributes
    ----------
    label : str
    cubic : int
        Number of third-degree invariants; Landau's condition is that there are none.
    lifshitz : int
        Number of invariants ``p_i dp_j/dx - p_j dp_i/dx``; Lifshitz's condition is that there are none.
    """

    label: str
    cubic: int
    lifshitz: int

    @property
    def landau_condition(self) -> bool:
        """Whether no cubic invariant forbids a continuous transition."""
        return self.cubic == 0

    @property
    def lifshitz_condition(self) -> bool:
        """Whether no invariant linear in gradients makes the wave vector drift."""
        return self.lifshitz == 0


def degrees_of(total: int, n: int) -> Iterator[Degrees]:
    """Yield all ways to share a total degree among n order parameters, the first one's largest first."""
    if n == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in degrees_of(total - first, n - 1):
            yield (first, *rest)


def symmetric_characters(matrices: np.ndarray, highest: int) -> np.ndarray:
    """Return the characters of the symmetric powers of matrices (m, n, n): (highest + 1, m).

    ``h_d = d^-1 sum_k tr(g^k) h_(d-k)``, h_0 = 1.
    """
    traces, power = [], matrices
    for _ in range(highest):
        traces.append(np.einsum("mii->m", power))
        power = power @ matrices
    h = [np.ones(len(matrices))]
    for d in range(1, highest + 1):
        h.append(sum((traces[k - 1] * h[d - k] for k in range(1, d + 1)), np.zeros(len(matrices))) / d)
    return np.array(h)


def invariant_counts(images: Images, highest: int) -> dict[Degrees, int]:
    """Return the number of linearly independent invariants of every degree, 1 to `highest`, by Molien's theorem.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = abstract_parent(221)
    >>> images = Images.of(parent, [named_irrep(parent, "M3+"), named_irrep(parent, "R4+")])
    >>> {k: n for k, n in invariant_counts(images, 4).items() if n}
    {(2, 0): 1, (0, 2): 1, (4, 0): 2, (2, 2): 2, (0, 4): 2}
    """
    powers, start = [], 0
    for irrep in images.irreps:
        block = slice(start, start + irrep.dimension)
        start += irrep.dimension
        powers.append(symmetric_characters(images.matrices[:, block, block], highest))
    counts = {}
    for total in range(1, highest + 1):
        for degrees in degrees_of(total, len(powers)):
            product = np.prod([h[d] for h, d in zip(powers, degrees, strict=True)], axis=0)
            counts[degrees] = _whole(float(product.mean()))
    return counts


def transition_conditions(parent: Parent, irrep: ParentIrrep) -> Conditions:
    """Return the conditions of Landau and Lifshitz for one irrep.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = abstract_parent(221)
    >>> transition_conditions(parent, named_irrep(parent, "GM5+"))
    Conditions(label='GM5+', cubic=1, lifshitz=0)

    References
    ----------
    L. D. Landau and E. M. Lifshitz, Statistical Physics, part 1, sections 145 and 146.
    """
    images = Images.of(parent, [irrep])
    cubic = _whole(float(symmetric_characters(images.matrices, 3)[3].mean()))
    traces = np.einsum("mii->m", images.matrices)
    squares = np.einsum("mij,mji->m", images.matrices, images.matrices)
    antisymmetric = ((traces**2 - squares) / 2)[images.image_of]  # (n_operations, n_cells)
    vector = np.einsum("gii->g", parent.rotations_cart)
    return Conditions(irrep.label, cubic, _whole(float((vector[:, None] * antisymmetric).mean())))


def coupling_count(images: Images, secondary: np.ndarray, degrees: Sequence[Degrees], powers: np.ndarray) -> list[int]:
    """Return the number of invariants linear in a secondary irrep, for several degrees in the primary ones.

    Parameters
    ----------
    images : Images
        Of the primary irreps.
    secondary : (n_operations, n_cells)
        Characters of the secondary irrep.
    degrees : sequence
    powers : (n_irreps, highest + 1, n_images)
        `symmetric_characters` of every primary irrep.
    """
    # the mean of the secondary's characters over all elements with one image of the primaries
    sums = np.bincount(images.image_of.ravel(), weights=secondary.ravel(), minlength=len(images.matrices))
    sums /= images.image_of.size
    found = []
    for row in degrees:
        product = np.prod([h[d] for h, d in zip(powers, row, strict=True)], axis=0)
        found.append(_whole(float(product @ sums)))
    return found


def translation_characters(irrep: ParentIrrep, translations: np.ndarray) -> np.ndarray:
    """Return the characters (n_operations, n_translations) of the elements {W|w + t}."""
    form = irrep.irrep.form
    angles = 2 * np.pi * (translations @ irrep.k.T)[:, form.arms]
    diagonal = np.einsum("gii->gi", irrep.matrices)
    crossed = irrep.matrices[:, form.partners, np.arange(irrep.dimension)]
    return diagonal @ np.cos(angles).T + (crossed * form.signs) @ np.sin(angles).T


def _whole(value: float) -> int:
    """Return a count, which must be a whole number."""
    if abs(value - round(value)) > 1e-5:
        raise InvalidInputError(f"invariants: a count of {value:.6f} is not whole; the images are no representation")
    return round(value)
