"""Propose high-symmetry parents for a crystal alone.

By Hermann's theorem every step from a group G to a subgroup H goes through the group M that has the translations of G
and the point operations of H. The search climbs the same way: pseudo-translations first (H to M), then point
operations of the averaged cell (M to G). C. Hermann, Z. Kristallogr. 69, 533 (1929).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.layers import carried, is_layer, layer_cell
from orderparam.errors import SymmetryError
from orderparam.lattice import QuotientLattice
from orderparam.parent import Parent, symmetrise
from orderparam.primitivecell import primitive_cell
from orderparam.shown import html_of
from orderparam.spacegroup import CENTRINGS, SpaceGroup, centring_letter, report_symmetry

from .averages import Average, Child, Search, distance, search_averages
from .limits import MAX_DISPLACEMENT, MAX_STRAIN, Limits

_logger = logging.getLogger(__name__)

WEAK_SCORE = 0.3
"""From this score on (angstrom) a proposal is weak: so much displacement buys too little symmetry."""

WEAK_SLOPE = 0.6
"""From this steepest part of the way (angstrom) on a proposal is weak, though cheap symmetry pays for it elsewhere."""

WEAK_DISPLACEMENT = 1.1
"""From this largest displacement on (angstrom) a proposal is weak."""

NEAR = 1.6
"""Distance (angstrom) between an operation's image of an atom and an atom, up to which operations are sought first.

Farther ones, to the limits' `reach`, only if nothing convincing comes of these; their proposals are weak."""

NOISE = 0.09
"""What distance (angstrom) a careless measurement or relaxation explains: 0.05 on every coordinate."""

_NOISE_LIMIT = 0.3  # angstrom, six times the 0.05 of a coordinate: no noise moves one atom farther, whatever the rms
_MAX_SYMMETRISED = 24
_SYMPREC = 2e-3


@dataclass(frozen=True)
class Ladder:
    """How far a child is from what it would be with more symmetry: index and distance of its averages.

    Averages over a group and over a subgroup obey Pythagoras, so that sqrt(d^2 - d_0^2) is the distance between them,
    and sqrt(d^2 - d_0^2) / ln(i / i_0) is what a unit of symmetry costs on the way from one to the other.

    Attributes
    ----------
    start : (int, float)
        Index i_0 and distance d_0 (angstrom) from where scores are counted: the highest group that the child has
        within `NOISE`, else (1, 0), the child itself. Noise lowers a child to P1; counted from there, all would be
        cheap.
    rungs : tuple of (int, float)
        Of all averages.

    Examples
    --------
    >>> ladder = Ladder((1, 0.0), ((24, 0.1), (48, 0.4)))
    >>> round(ladder.score(48, 0.4), 3), round(ladder.steepest(48, 0.4), 3)
    (0.103, 0.559)
    """

    start: tuple[int, float] = (1, 0.0)
    rungs: tuple[tuple[int, float], ...] = ()

    def score(self, index: int, far: float) -> float:
        """Return sqrt(d^2 - d_0^2) / ln(index / i_0), or d / ln(index) where the index is not above i_0 (angstrom)."""
        i, d = self.start if index > self.start[0] else (1, 0.0)
        return float(np.sqrt(max(far**2 - d**2, 0.0)) / np.log(index / i))

    def steepest(self, index: int, far: float) -> float:
        """Return the largest cost of a unit of symmetry from a lower rung: nearer, and with an index that divides."""
        lower = {1: 0.0} | {i: d for i, d in self._nearest.items() if 1 < i < index and index % i == 0 and d < far}
        return max(float(np.sqrt(far**2 - d**2) / np.log(index / i)) for i, d in lower.items())

    @cached_property
    def _nearest(self) -> dict[int, float]:
        """Of all rungs with one index the nearest, from which the way is steepest; none is nearer than the child."""
        nearest: dict[int, float] = {}
        for i, d in self.rungs:
            nearest[i] = min(d, nearest.get(i, d))
        return nearest

    def rank(self, found: Average | Proposal) -> tuple[bool, int, float]:
        """Return the key that sorts strong proposals by index, then weak ones by score."""
        score = self.score(found.index, found.distance)
        weak = _is_weak(score, self.steepest(found.index, found.distance), found.max_displacement)
        return (weak, 0 if weak else -found.index, score)


def _is_weak(score: float, steepest: float, max_displacement: float) -> bool:
    return score >= WEAK_SCORE or steepest >= WEAK_SLOPE or max_displacement >= WEAK_DISPLACEMENT


@dataclass(frozen=True, eq=False)
class Proposal:
    """A parent that a child could be a distortion of.

    Attributes
    ----------
    parent : Parent
    index : int
        Of the child's space group in the parent's: the number of domains.
    rms, max_displacement : float
        Of the child's atoms from the parent's, mean displacement removed, in the parent's metric, angstrom.
    rms_strain : float
        Root mean square of the principal strains from parent to child.
    ladder : Ladder
        The rungs below, by which it is judged.
    is_far : bool
        Whether it takes operations farther than `NEAR`.
    """

    parent: Parent
    index: int
    rms: float
    max_displacement: float
    rms_strain: float
    ladder: Ladder = Ladder()
    is_far: bool = False

    @property
    def group(self) -> SpaceGroup:
        """The parent's space group."""
        return self.parent.group

    @property
    def distance(self) -> float:
        """D = sqrt(rms^2 + (2 rho e)^2) (angstrom), e the rms strain and rho^3 the volume per atom."""
        crystal = self.parent.crystal
        return distance(self.rms, self.rms_strain, crystal.volume / crystal.n_sites)

    @property
    def score(self) -> float:
        """What a unit of symmetry costs: d / ln(index), angstrom, counted from the symmetry within the noise."""
        return self.ladder.score(self.index, self.distance)

    @property
    def is_weak(self) -> bool:
        """Whether the distortion, or a part of it, is large for the symmetry that it buys."""
        steepest = self.ladder.steepest(self.index, self.distance)
        return self.is_far or _is_weak(self.score, steepest, self.max_displacement)

    @property
    def is_noise(self) -> bool:
        """Whether the child has this symmetry within `NOISE`."""
        return self.distance <= NOISE

    @cached_property
    def crystal(self) -> Crystal:
        """The parent in the conventional cell and the standard setting of its space group."""
        centring = CENTRINGS[centring_letter(self.group.number)]
        primitive = self.parent.crystal
        cells = QuotientLattice(np.rint(np.linalg.inv(centring))).representatives
        places = (primitive.positions[:, None] + cells).reshape(-1, 3) @ centring
        lattice = np.linalg.inv(centring) @ primitive.lattice
        return Crystal(
            lattice,
            places - np.floor(places + 1e-9),
            tuple(np.repeat(primitive.species, len(cells)).tolist()),
            tuple(np.repeat(primitive.labels, len(cells)).tolist()),
            primitive.name,
            periodic=carried(primitive, lattice),
        )

    def __str__(self) -> str:
        return f"Proposal({self.group}, index {self.index}, rms {self.rms:.3f} angstrom, score {self.score:.3f})"

    __repr__ = __str__
    _repr_html_ = html_of


@dataclass(frozen=True, eq=False)
class ParentSearch:
    """Proposed parents, and what the search for them was.

    Attributes
    ----------
    proposals : tuple of Proposal
        The best first; empty where nothing of higher symmetry is near.
    limits : Limits
        Of the proposals.
    reach : float
        Largest distance (angstrom) between an operation's image of an atom and an atom that was looked at.
    complete : bool
        Whether no bound on the number of cells, operations or groups has cut the search short.
    beyond : Average or None
        The nearest beyond the limits, where the search has met any.
    """

    proposals: tuple[Proposal, ...]
    limits: Limits
    reach: float
    complete: bool
    beyond: Average | None


def propose_parents(
    child: Crystal,
    *,
    symprec: float = 1e-3,
    limit: int = 12,
    max_displacement: float = MAX_DISPLACEMENT,
    max_strain: float = MAX_STRAIN,
) -> tuple[Proposal, ...]:
    """Propose parents of higher symmetry for a crystal, the best first.

    Those that are not weak come first, the one with the largest index first; then the weak ones by score. Proposals
    that take operations beyond `NEAR`, which are sought where nothing else convinces, stand behind all others, in the
    same order among themselves.

    Parameters
    ----------
    child : Crystal
        In any cell and setting.
    symprec : float
        spglib's tolerance for the child's own symmetry, angstrom.
    limit : int
        Return at most so many.
    max_displacement : float
        Of any atom from the parent, mean displacement removed, angstrom.
    max_strain : float
        Of the principal strains between parent and child.

    Returns
    -------
    tuple of Proposal
        Empty where nothing of higher symmetry is near.

    Raises
    ------
    SymmetryError
        When spglib finds no space group for the child.
    InvalidInputError
        When a bound is out of range.
    """
    return search_parents(child, Limits(max_displacement, max_strain), symprec=symprec, limit=limit).proposals


def search_parents(
    child: Crystal, limits: Limits | None = None, *, symprec: float = 1e-3, limit: int = 12
) -> ParentSearch:
    """Do the work of `propose_parents`, and say how far the search went.

    Operations within `NEAR` are tried first. Where nothing convincing comes of them, beyond noise, all that the limits
    can need are tried as well.
    """
    limits = limits or Limits()
    if is_layer(child):
        child = layer_cell(child)
    own = Child.from_primitive(primitive_cell(child, report_symmetry(child, symprec)))
    start, rung = _start(own, limits)
    near = search_averages(start, limits, NEAR)
    ladder = Ladder(rung, tuple((a.index, a.distance) for a in near.found if a.index > 1))
    searches, reach = [near], min(NEAR, limits.reach)
    proposals = _proposals(near, ladder)
    if reach < limits.reach and not any(p.index > rung[0] and not p.is_weak for p in proposals):
        far = search_averages(start, limits, limits.reach)
        proposals, reach = proposals + _proposals(far, ladder, is_far=True), limits.reach
        searches.append(far)
    _logger.debug("scores from %s, operations within %s angstrom", rung, reach)
    return ParentSearch(
        _unlike(proposals)[:limit],
        limits,
        reach,
        all(search.complete for search in searches),
        min((a for search in searches for a in search.beyond), key=lambda a: a.excess(limits), default=None),
    )


def _start(own: Child, limits: Limits) -> tuple[Child, tuple[int, float]]:
    """Start from the child, or, where it has more symmetry within `NOISE`, from what it is then."""
    # an rms strain e within the distance has principal strains of sqrt(3) e at most
    rho = np.cbrt(own.crystal.volume / own.crystal.n_sites)
    strain = min(limits.max_strain, np.sqrt(3) * NOISE / (2 * rho))
    noise = Limits(min(limits.max_displacement, _NOISE_LIMIT), float(strain))
    found = search_averages(own, noise, noise.reach, highest_within=NOISE).found
    best = max((a for a in found if a.distance <= NOISE), key=lambda a: (a.index, -a.distance), default=None)
    if best is not None and best.index > 1:
        try:
            return best.as_child(_SYMPREC), (best.index, best.distance)
        except SymmetryError as problem:
            _logger.debug("the symmetry within the noise is no start: %s", problem)
    return own, (1, 0.0)


def _proposals(search: Search, ladder: Ladder, *, is_far: bool = False) -> list[Proposal]:
    """Name the best of the averages of higher symmetry, the best first."""
    averages = sorted(_distinct(search.found), key=ladder.rank)[:_MAX_SYMMETRISED]
    named = (_proposal(average, ladder, is_far=is_far) for average in averages)
    return sorted((p for p in named if p is not None), key=ladder.rank)


def _unlike(proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Keep the first of the proposals that agree in group, index, displacements and strain."""
    kept: dict[tuple[float, ...], Proposal] = {}
    for p in proposals:
        kept.setdefault((p.group.number, p.index, round(p.rms, 3), round(p.rms_strain, 4)), p)
    return tuple(kept.values())


def _distinct(averages: Sequence[Average]) -> list[Average]:
    """Keep one of the averages of higher symmetry that agree in index, displacements and strain."""
    kept: dict[tuple[float, ...], Average] = {}
    for average in averages:
        lengths = (round(average.rms, 3), round(average.max_displacement, 3))
        if average.index > 1:
            kept.setdefault((average.index, *lengths, round(average.rms_strain, 4)), average)
    return list(kept.values())


def _proposal(average: Average, ladder: Ladder, *, is_far: bool) -> Proposal | None:
    """Name the group of an average, which may have gained symmetry by chance; None where spglib finds none."""
    try:
        parent = symmetrise(average.crystal, _SYMPREC)
    except SymmetryError as problem:
        _logger.debug("an average is dropped: %s", problem)
        return None
    child = average.child
    index = round(parent.group.order / child.order * child.crystal.n_sites / parent.crystal.n_sites)
    return Proposal(parent, index, average.rms, average.max_displacement, average.rms_strain, ladder, is_far)
