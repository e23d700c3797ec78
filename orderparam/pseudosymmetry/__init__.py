"""Parents for a child without one: the symmetry that a crystal nearly has."""

from .propose import Proposal, propose_parents

__all__ = ["Proposal", "propose_parents"]
