"""One domain for many children: order parameters written so that they can be compared.

A child may be any of |G:H| equivalent domains: its order parameters eta become D(g) eta. Two children of one parent are
compared in the domain of the second that is nearest to the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .orderparameter import Decomposition, OrderParameter


@dataclass(frozen=True, eq=False)
class Aligned:
    """A child's order parameters in a chosen domain.

    Attributes
    ----------
    operation : int
        Number of the parent's operation that was applied ...
    translation : (3,) int
        ... followed by this lattice translation, primitive basis.
    components : dict
        (copies, dimension) by label of the irrep, Ap; strains as ``"strain GM3+"``.
    overlap : float
        Cosine of the angle to the reference, over the irreps that both have.
    """

    operation: int
    translation: np.ndarray
    components: dict[str, np.ndarray]
    overlap: float


def align(decomposition: Decomposition, reference: Mapping[str, np.ndarray] | None = None) -> Aligned:
    """Return the order parameters in the domain nearest to a reference (by default: in the child's own domain).

    Irreps that the reference does not have play no part; among equally near domains the one of the earliest operation
    is taken.
    """
    named = _named(decomposition)
    supercell = decomposition.distortion.supercell
    own = {name: o.components for name, o in named.items()}
    if reference is None:
        return Aligned(0, np.zeros(3, int), own, 1.0)
    common = [name for name in named if name in reference and reference[name].shape == own[name].shape]
    scores = np.zeros((supercell.parent.group.order, supercell.n_cells))
    for name in common:
        scores += _overlaps(named[name], reference[name], supercell.translations)
    best = int(np.argmax(np.round(scores.ravel(), 9)))
    operation, index = divmod(best, supercell.n_cells)
    translation = supercell.translations[index]
    components = {name: _turned(o, operation, translation) for name, o in named.items()}
    sizes = [np.sqrt(sum(np.sum(field[name] ** 2) for name in common)) for field in (own, reference)]
    overlap = float(scores.ravel()[best] / (sizes[0] * sizes[1])) if min(sizes) > 0 else 0.0
    return Aligned(operation, translation, components, overlap)


def _named(decomposition: Decomposition) -> dict[str, OrderParameter]:
    return {o.label: o for o in decomposition.displacive} | {f"strain {o.label}": o for o in decomposition.strain}


def _overlaps(o: OrderParameter, reference: np.ndarray, translations: np.ndarray) -> np.ndarray:
    """Return <reference, D(t) D(W) components> for every operation and translation."""
    turned = np.einsum("gij,mj->gmi", o.irrep.matrices, o.components)
    moved = o.irrep.translate(turned, translations)  # (t, g, m, i)
    return np.einsum("tgmi,mi->gt", moved, reference)


def _turned(o: OrderParameter, operation: int, translation: np.ndarray) -> np.ndarray:
    turned = o.components @ o.irrep.matrices[operation].T
    return o.irrep.translate(turned, translation[None])[0]
