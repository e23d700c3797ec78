"""What lies between a child and its parent, and beside the child: intermediate groups and equivalent domains."""

from .domains import Domain, find_domains
from .graph import Edge, Node, SubgroupGraph, subgroup_graph

__all__ = ["Domain", "Edge", "Node", "SubgroupGraph", "find_domains", "subgroup_graph"]
