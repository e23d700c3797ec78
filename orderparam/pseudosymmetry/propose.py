"""Propose high-symmetry parents for a crystal alone.

By Hermann's theorem every step from a group G to a subgroup H goes through the group M that has the translations of G
and the point operations of H. The search climbs the same way: pseudo-translations first (H to M), then point
operations of the averaged cell (M to G). C. Hermann, Z. Kristallogr. 69, 533 (1929).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.errors import SymmetryError
from orderparam.lattice import QuotientLattice
from orderparam.parent import Parent, symmetrise
from orderparam.primitivecell import primitive_cell
from orderparam.shown import html_of
from orderparam.spacegroup import CENTRINGS, SpaceGroup, centring_letter, report_symmetry

from .averages import Average, Child, distance, search_averages

_logger = logging.getLogger(__name__)

WEAK_SCORE = 0.3
"""From this score on (angstrom) a proposal is weak: so much displacement buys too little symmetry."""

WEAK_SLOPE = 0.6
"""From this steepest part of the way (angstrom) on a proposal is weak, though cheap symmetry pays for it elsewhere."""

WEAK_DISPLACEMENT = 1.1
"""From this largest displacement on (angstrom) a proposal is weak."""

OPERATION_TOLERANCE = 1.6
"""Largest distance (angstrom) between an operation's image of an atom and an atom, about twice a displacement."""

NOISE = 0.09
"""What distance (angstrom) a careless measurement or relaxation explains: 0.05 on every coordinate."""

_NOISE_TOLERANCE = 0.6
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
        lower = [(1, 0.0), *((i, d) for i, d in self.rungs if i < index and index % i == 0 and d < far)]
        return max(float(np.sqrt(far**2 - d**2) / np.log(index / i)) for i, d in lower)

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
    """

    parent: Parent
    index: int
    rms: float
    max_displacement: float
    rms_strain: float
    ladder: Ladder = Ladder()

    @property
    def group(self) -> SpaceGroup:
        """The parent's space group."""
        return self.parent.group

    @property
    def distance(self) -> float:
        """D = sqrt(rms^2 + (2 rho e)^2) (angstrom), e the rms strain and rho^3 the volume per atom."""
        return distance(self.rms, self.rms_strain, self.parent.crystal)

    @property
    def score(self) -> float:
        """What a unit of symmetry costs: d / ln(index), angstrom, counted from the symmetry within the noise."""
        return self.ladder.score(self.index, self.distance)

    @property
    def is_weak(self) -> bool:
        """Whether the distortion, or a part of it, is large for the symmetry that it buys."""
        return _is_weak(self.score, self.ladder.steepest(self.index, self.distance), self.max_displacement)

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
        return Crystal(
            np.linalg.inv(centring) @ primitive.lattice,
            places - np.floor(places + 1e-9),
            tuple(np.repeat(primitive.species, len(cells)).tolist()),
            tuple(np.repeat(primitive.labels, len(cells)).tolist()),
            primitive.name,
        )

    def __str__(self) -> str:
        return f"Proposal({self.group}, index {self.index}, rms {self.rms:.3f} angstrom, score {self.score:.3f})"

    __repr__ = __str__
    _repr_html_ = html_of


def propose_parents(child: Crystal, *, symprec: float = 1e-3, limit: int = 12) -> tuple[Proposal, ...]:
    """Propose parents of higher symmetry for a crystal, the best first.

    Those that are not weak come first, the one with the largest index first; then the weak ones by score.

    Parameters
    ----------
    child : Crystal
        In any cell and setting.
    symprec : float
        spglib's tolerance for the child's own symmetry, angstrom.
    limit : int
        Return at most so many.

    Returns
    -------
    tuple of Proposal
        Empty where nothing of higher symmetry is near.

    Raises
    ------
    SymmetryError
        When spglib finds no space group for the child.
    """
    start = Child.from_primitive(primitive_cell(child, report_symmetry(child, symprec)))
    averages, ladder = _averages(start)
    _logger.debug("%d averages, scores from %s", len(averages), ladder.start)
    found: dict[tuple[float, ...], Proposal] = {}
    for average in sorted(averages, key=ladder.rank)[:_MAX_SYMMETRISED]:
        proposal = _proposal(average, ladder)
        if proposal is not None:
            key = (proposal.group.number, proposal.index, round(proposal.rms, 3), round(proposal.rms_strain, 4))
            found.setdefault(key, proposal)
    return tuple(sorted(found.values(), key=ladder.rank)[:limit])


def _averages(start: Child) -> tuple[list[Average], Ladder]:
    """Search from the child, or, where it has more symmetry within `NOISE`, from what it is then."""
    near = [a for a in search_averages(start, _NOISE_TOLERANCE) if a.index > 1 and a.distance <= NOISE]
    if near:
        best = max(near, key=lambda a: (a.index, -a.distance))
        try:
            found = _distinct([best, *search_averages(best.as_child(_SYMPREC), OPERATION_TOLERANCE)])
            return found, Ladder((best.index, best.distance), _rungs(found))
        except SymmetryError as problem:
            _logger.debug("the symmetry within the noise is no start: %s", problem)
    found = _distinct(search_averages(start, OPERATION_TOLERANCE))
    return found, Ladder(rungs=_rungs(found))


def _distinct(averages: list[Average]) -> list[Average]:
    """Keep one of the averages of higher symmetry that agree in index, displacements and strain."""
    kept: dict[tuple[float, ...], Average] = {}
    for average in averages:
        lengths = (round(average.rms, 3), round(average.max_displacement, 3))
        if average.index > 1:
            kept.setdefault((average.index, *lengths, round(average.rms_strain, 4)), average)
    return list(kept.values())


def _rungs(averages: list[Average]) -> tuple[tuple[int, float], ...]:
    return tuple((a.index, a.distance) for a in averages)


def _proposal(average: Average, ladder: Ladder) -> Proposal | None:
    """Name the group of an average, which may have gained symmetry by chance; None where spglib finds none."""
    try:
        parent = symmetrise(average.crystal, _SYMPREC)
    except SymmetryError as problem:
        _logger.debug("an average is dropped: %s", problem)
        return None
    child = average.child
    index = round(parent.group.order / child.order * child.crystal.n_sites / parent.crystal.n_sites)
    return Proposal(parent, index, average.rms, average.max_displacement, average.rms_strain, ladder)
