"""All groups between a child's and its parent's, with the structure that each would have (a Baernighausen tree)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.discovery.analyse import Analysis
from orderparam.discovery.denoise import on_group, spread
from orderparam.discovery.evidence import Statistics
from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError
from orderparam.quotientgroup import QuotientGroup
from orderparam.shown import html_of
from orderparam.spacegroup import standard_setting
from orderparam.supercell import Subgroup
from orderparam.symmetry.isotropy import fixed_projector

from .cosets import Cosets
from .splitting import Splitting, WyckoffPositions, wyckoff_positions, wyckoff_splitting

LARGEST_INDEX = 100
"""Up to this index all intermediate groups are listed; beyond it only those of the child's own order parameters."""

LARGEST_TABLE = 100_000_000
"""Numbers in the table of where every operation takes every atom: beyond it memory runs out."""

SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Node:
    """One group K between H and G, and what of the distortion it keeps.

    Attributes
    ----------
    number : int
        0 is the parent's group, the last the child's.
    subgroup : Subgroup
    distance : float
        |u - P_K u| over the child's primitive cell, angstrom: what the structure of this group gives up.
    strain_left : float
        Frobenius norm of P_K strain.
    is_realised : bool
        Whether the projected displacements have just this symmetry (the strain, where nothing else breaks it).
    is_realised_with_strain : bool
        Whether displacements and strain together have just this symmetry.
    amplitudes : dict
        As of every irrep that is left, angstrom.
    distortion : Distortion
        The projected one, in the primitive cell of K.
    """

    number: int
    subgroup: Subgroup
    distance: float
    strain_left: float
    is_realised: bool
    is_realised_with_strain: bool
    amplitudes: dict[str, float]
    distortion: Distortion

    @property
    def index(self) -> int:
        """Index in the parent's group."""
        return self.subgroup.index

    @property
    def space_group(self) -> tuple[int, str]:
        """Number and symbol."""
        return self.subgroup.space_group

    @cached_property
    def positions(self) -> WyckoffPositions:
        """Wyckoff positions of the parent's sites in this group."""
        return wyckoff_positions(self.distortion.group)

    def setting(self) -> tuple[np.ndarray, np.ndarray]:
        """Return basis (rows) and origin of the standard setting in the parent's conventional cell."""
        parent = self.subgroup.supercell.parent
        own = self.subgroup.lattice_basis
        basis, origin = standard_setting(*self.subgroup.operations(), own @ parent.lattice)
        place = origin @ own @ np.linalg.inv(parent.conventional)
        return basis @ own @ np.linalg.inv(parent.conventional), place - np.floor(place + 1e-6)


@dataclass(frozen=True)
class Edge:
    """A maximal subgroup relation.

    Attributes
    ----------
    child, parent : int
        Numbers of the nodes.
    index : int
    kind : str
        ``"t"`` translationengleich, ``"k"`` klassengleich; ``"mixed"`` where intermediate groups are left out.
    """

    child: int
    parent: int
    index: int
    kind: str


@dataclass(frozen=True, eq=False)
class SubgroupGraph:
    """Groups and relations; a graph, not a tree.

    Attributes
    ----------
    nodes : tuple of Node
        By index in the parent's group.
    edges : tuple of Edge
    is_complete : bool
        Whether all intermediate groups are there.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    is_complete: bool

    def splitting(self, edge: Edge) -> tuple[Splitting, ...]:
        """Return how the Wyckoff positions split along an edge."""
        return wyckoff_splitting(self.nodes[edge.child], self.nodes[edge.parent])

    def __str__(self) -> str:
        return f"SubgroupGraph({len(self.nodes)} groups, {len(self.edges)} relations)"

    __repr__ = __str__
    _repr_html_ = html_of


def subgroup_graph(analysis: Analysis, *, on_step: Callable[[int], None] | None = None) -> SubgroupGraph:
    """Return the graph of groups between the child's and the parent's.

    Every intermediate group is a block of the parent's group acting on the cosets of the child's, and every block a
    join of minimal ones.

    Parameters
    ----------
    analysis : Analysis
    on_step : callable, optional
        Called with the number of groups found.

    Examples
    --------
    >>> from orderparam import analyse, read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/CaTiO3_221.cif"))
    >>> graph = subgroup_graph(analyse(parent, read_crystal("structures/perovskite/CaTiO3_62.cif")))
    >>> len(graph.nodes), len(graph.edges), sum(n.is_realised for n in graph.nodes)
    (9, 12, 7)
    """
    distortion = analysis.relation.distortion
    check_size(distortion)
    cosets = Cosets.of(distortion)
    complete = cosets.index <= LARGEST_INDEX
    blocks = _all_blocks(cosets, on_step) if complete else _isotropy_blocks(cosets, analysis)
    blocks.sort(key=lambda b: (-int(b.sum()), b.tobytes()))
    field = spread(distortion, cosets.group.supercell)
    statistics = Statistics.of(distortion, cosets.group, field)
    kept = [_kept(cosets, block, statistics) for block in blocks]
    moves = any(analysis.decomposition.breaking_share.values())
    nodes = []
    for number, (block, (displacement, strain)) in enumerate(zip(blocks, kept, strict=True)):
        subgroup = cosets.subgroup(block)
        above = [k for other, k in zip(blocks, kept, strict=True) if (block <= other).all() and (block < other).any()]
        same_u = [abs(displacement - d) < SAME for d, _ in above]
        same_both = [u and abs(strain - e) < SAME**1.5 for u, (_, e) in zip(same_u, above, strict=True)]
        projected, _ = on_group(distortion, cosets.group, field, cosets.generated(block))
        nodes.append(
            Node(
                number=number,
                subgroup=subgroup,
                distance=float(np.sqrt(max(statistics.total - displacement, 0.0))),
                strain_left=float(np.sqrt(max(strain, 0.0))),
                is_realised=not any(same_u if moves else same_both),
                is_realised_with_strain=not any(same_both),
                amplitudes=_amplitudes(analysis, subgroup),
                distortion=projected,
            )
        )
    return SubgroupGraph(tuple(nodes), tuple(_edges(blocks, nodes)), complete)


def check_size(distortion: Distortion) -> None:
    """Refuse what would not fit into memory: all operations on all atoms of the cell that every domain has in common.

    Raises
    ------
    InvalidInputError
    """
    group = QuotientGroup(distortion.supercell.parent, distortion.supercell.matrix)
    if group.order * group.supercell.n_atoms > LARGEST_TABLE:
        raise InvalidInputError(
            f"the subgroup graph: the cell common to all domains has {group.supercell.n_atoms} atoms and "
            f"{group.order} operations, too many to go through; look at one irrep at a time by `orderparam directions`"
        )


def _all_blocks(cosets: Cosets, on_step: Callable[[int], None] | None) -> list[np.ndarray]:
    """Return every block that holds the base point: joins of the minimal ones."""
    finest = np.arange(cosets.index)
    minimal: dict[bytes, int] = {}
    found = {finest.tobytes(): finest}
    for coset in range(1, cosets.index):
        classes = cosets.join(finest, coset)
        minimal.setdefault(classes.tobytes(), coset)
        found[classes.tobytes()] = classes
    todo = [classes for classes in found.values() if classes is not finest]
    while todo:
        classes = todo.pop()
        for coset in minimal.values():
            if classes[coset] != 0:
                joined = cosets.join(classes, coset)
                key = joined.tobytes()
                if key not in found:
                    found[key] = joined
                    todo.append(joined)
                    if on_step is not None:
                        on_step(len(found))
    return [classes == 0 for classes in found.values()]


def _isotropy_blocks(cosets: Cosets, analysis: Analysis) -> list[np.ndarray]:
    """Return the isotropy subgroups of the child's order parameters, their intersections, and both ends."""
    decomposition = analysis.decomposition
    supercell = cosets.group.supercell
    singles = []
    for o in (*decomposition.displacive, *decomposition.strain):
        if not o.is_zero:
            turned = o.components @ np.swapaxes(o.irrep.matrices, 1, 2)
            moved = o.irrep.translate(turned, supercell.translations)  # (t, g, copies, dimension)
            same = 1e-4 * max(1.0, o.amplitude) > np.abs(moved - o.components).max(axis=(2, 3)).T
            singles.append(same.ravel()[cosets.representatives])
    trivial = np.zeros(cosets.index, bool)
    trivial[0] = True
    found = {b.tobytes(): b for b in (trivial, np.ones(cosets.index, bool), *singles)}
    todo = list(found.values())
    while todo:
        block = todo.pop()
        for other in singles:
            met = block & other
            if met.tobytes() not in found:
                found[met.tobytes()] = met
                todo.append(met)
    return list(found.values())


def _kept(cosets: Cosets, block: np.ndarray, statistics: Statistics) -> tuple[float, float]:
    """Return |P_K u|^2 and |P_K strain|^2."""
    elements = block[cosets.coset_of]
    return float(statistics.overlaps[elements].mean()), float(statistics.strain_overlaps[elements].mean())


def _amplitudes(analysis: Analysis, subgroup: Subgroup) -> dict[str, float]:
    scale = np.sqrt(analysis.relation.distortion.supercell.n_cells)
    found = {}
    for o in analysis.decomposition.displacive:
        size = float(np.linalg.norm(o.components @ fixed_projector(o.irrep, subgroup))) * scale
        if size > 1e-5:
            found[o.label] = size
    return found


def _edges(blocks: list[np.ndarray], nodes: list[Node]) -> list[Edge]:
    """Return the covering relations, from small to large groups."""
    edges = []
    below = [[bool((b <= other).all()) and i != j for j, other in enumerate(blocks)] for i, b in enumerate(blocks)]
    for i in range(len(blocks)):
        above = [j for j in range(len(blocks)) if below[i][j]]
        for j in above:
            if any(below[k][j] for k in above if k != j):
                continue
            edges.append(Edge(i, j, nodes[i].index // nodes[j].index, _kind(nodes[i].subgroup, nodes[j].subgroup)))
    return edges


def _kind(lower: Subgroup, upper: Subgroup) -> str:
    translations = [round(abs(np.linalg.det(g.lattice_basis))) for g in (lower, upper)]
    operations = [int(g.elements.any(axis=1).sum()) for g in (lower, upper)]
    if translations[0] == translations[1]:
        return "t"
    return "k" if operations[0] == operations[1] else "mixed"
