"""Parents for a child without one: the symmetry that a crystal nearly has."""

from .limits import MAX_DISPLACEMENT, MAX_STRAIN, Limits
from .propose import (
    NEAR,
    NOISE,
    WEAK_DISPLACEMENT,
    WEAK_SCORE,
    WEAK_SLOPE,
    ParentSearch,
    Proposal,
    propose_parents,
    search_parents,
)

__all__ = [
    "MAX_DISPLACEMENT",
    "MAX_STRAIN",
    "NEAR",
    "NOISE",
    "WEAK_DISPLACEMENT",
    "WEAK_SCORE",
    "WEAK_SLOPE",
    "Limits",
    "ParentSearch",
    "Proposal",
    "propose_parents",
    "search_parents",
]
