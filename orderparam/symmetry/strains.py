"""Which irreps at Gamma the strain of a parent has."""

from __future__ import annotations

import numpy as np

from orderparam.o3 import irreps_to_symmetric, symmetric_to_irreps
from orderparam.parent import Parent

from .modes import SiteRepresentation
from .parentirreps import irreps_of_parent


def strain_representation(parent: Parent) -> SiteRepresentation:
    """Return how the parent's operations act on a symmetric tensor, E -> R E R^T, in six components."""
    rotations = parent.rotations_cart
    units = irreps_to_symmetric(np.eye(6))
    images = rotations[:, None] @ units @ np.swapaxes(rotations, 1, 2)[:, None]
    return SiteRepresentation.uniform(parent, np.swapaxes(symmetric_to_irreps(images), 1, 2))


def strain_labels(parent: Parent) -> list[str]:
    """Return the labels of the irreps of the strain.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> strain_labels(abstract_parent(221))
    ['GM1+', 'GM3+', 'GM5+']
    """
    representation = strain_representation(parent)
    return [i.label for i in irreps_of_parent(parent, np.zeros(3, int), 1) if representation.multiplicity(i)]
