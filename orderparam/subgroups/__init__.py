"""What lies between a child and its parent, and beside the child: intermediate groups and equivalent domains."""

from .domains import Domain, find_domains
from .graph import Edge, Node, SubgroupGraph, subgroup_graph
from .splitting import Splitting, WyckoffPositions, wyckoff_positions

__all__ = [
    "Domain",
    "Edge",
    "Node",
    "Splitting",
    "SubgroupGraph",
    "WyckoffPositions",
    "find_domains",
    "subgroup_graph",
    "wyckoff_positions",
]
