"""Parents for a child without one: the symmetry that a crystal nearly has."""

from .averages import MAX_DISPLACEMENT, MAX_STRAIN
from .propose import NOISE, WEAK_DISPLACEMENT, WEAK_SCORE, Proposal, propose_parents

__all__ = [
    "MAX_DISPLACEMENT",
    "MAX_STRAIN",
    "NOISE",
    "WEAK_DISPLACEMENT",
    "WEAK_SCORE",
    "Proposal",
    "propose_parents",
]
