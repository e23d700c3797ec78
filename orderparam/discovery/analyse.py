"""The exact half: a pair of structures becomes named order parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from orderparam.crystals.crystal import Crystal
from orderparam.errors import InvalidInputError
from orderparam.parent import Parent
from orderparam.shown import html_of
from orderparam.symmetry.orderparameter import Decomposition, decompose
from orderparam.symmetry.primary import NEGLIGIBLE, Candidate, PrimarySet, primary_sets

from .denoise import NoiseReport, denoise
from .errorbars import ErrorBars, coordinate_sigma, error_bars
from .relate import Relation, relate

WEAK_SHARE = 0.5
"""A chosen set that explains less than this part of the displacement deserves a warning."""


SIGNIFICANT = 3.0
"""An order parameter is above the noise from so many sigma on (As)."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """What breaks the symmetry of a pair, exactly.

    Attributes
    ----------
    relation : Relation
        How the child sits in the parent.
    decomposition : Decomposition
        The distortion as order parameters.
    primary_sets : tuple of PrimarySet
        Sets that generate the child's group, the chosen one first; empty when no symmetry is broken.
    noise : NoiseReport or None
        What was taken for noise, where the child was denoised.
    """

    relation: Relation
    decomposition: Decomposition
    primary_sets: tuple[PrimarySet, ...]
    noise: NoiseReport | None = None

    @cached_property
    def errors(self) -> ErrorBars | None:
        """Error bars of the amplitudes, where the child's file or its noise tells them."""
        return error_bars(self.relation, self.decomposition, self.noise)

    @property
    def primaries(self) -> PrimarySet | None:
        """The chosen set, None when no symmetry is broken."""
        return self.primary_sets[0] if self.primary_sets else None

    @property
    def primary_members(self) -> tuple[Candidate, ...]:
        """Members of the chosen set."""
        return self.primary_sets[0].members if self.primary_sets else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything that the user should know, in the order of the steps."""
        noise = self.noise.warnings if self.noise else ()
        return (*self.relation.parent.warnings, *self.relation.warnings, *noise, *self._own_warnings())

    def _own_warnings(self) -> tuple[str, ...]:
        distortion = self.relation.distortion
        if distortion.group.index == 1:
            strained = 0.0 if self.relation.parent.finite else abs(distortion.strain).max()
            changes = {"atoms move": distortion.lengths.max(), "the cell changes": strained}
            if said := [text for text, size in changes.items() if size > 1e-4]:
                return (f"no symmetry is broken: {' and '.join(said)} within the parent's own symmetry",)
            if self.noise is not None and self.noise.sigma > 0:
                return (f"no distortion above the noise ({self.noise.sigma:.4f} angstrom): the child is the parent",)
            return ("the two structures are identical: all amplitudes are zero",)
        notes = []
        chosen = self.primary_sets[0] if self.primary_sets else None
        if (self.decomposition.joint_subgroup.elements != distortion.group.elements).any():
            notes.append(
                "the order parameters above the numerical zero leave more symmetry than the child has: it is "
                f"{self.decomposition.joint_subgroup} within 1e-5 angstrom; raise --symprec-child"
            )
        if chosen is not None and chosen.share < WEAK_SHARE and any(self.decomposition.breaking_share.values()):
            notes.append(
                f"the primary order parameters {', '.join(chosen.labels)} hold only {chosen.share:.0%} of the squared "
                "displacement: another parent may describe this child better"
            )
        tied = [s for s in self.primary_sets if s.tied]
        if self.noise is not None and chosen is not None and distortion.total_amplitude > 0:
            # a share A^2 / sum A^2 errs by about 2 sigma / |u|
            margin = 4 * self.noise.mode_sigma / distortion.total_amplitude
            tied = [s for s in self.primary_sets if s.tied or abs(s.share - chosen.share) < margin]
        names = list(dict.fromkeys(" + ".join(s.labels) for s in tied))
        if len(names) > 1:
            notes.append(f"several sets of primary order parameters explain the child equally well: {'; '.join(names)}")
        return tuple(notes)

    def __str__(self) -> str:
        relation = self.relation
        number, symbol = relation.distortion.group.space_group
        primary = " + ".join(self.primaries.labels) if self.primaries else "nothing broken"
        return f"Analysis({relation.child.formula}: {relation.parent.group} -> {symbol} ({number}), {primary})"

    __repr__ = __str__
    _repr_html_ = html_of


def analyse(
    parent: Parent,
    child: Crystal,
    *,
    symprec: float = 1e-3,
    max_strain: float = 0.25,
    max_displacement: float = 2.0,
    noise: float | str | None = None,
) -> Analysis:
    """Find the order parameters of a pair.

    Parameters are those of `relate`, and

    noise : float, "auto" or None
        Standard deviation (angstrom) of the noise on every coordinate; ``"auto"`` takes it from the standard
        uncertainties of the child's file, or estimates it where there are none; None takes the child as it is.

    Raises
    ------
    MatchingError
        When the child is no distortion of the parent.
    InvalidInputError
        When the noise is larger than the distortion.

    Examples
    --------
    >>> from orderparam import read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/LaMnO3_221.cif"))
    >>> analysis = analyse(parent, read_crystal("structures/perovskite/LaMnO3_62.cif"))
    >>> analysis.primaries.labels
    ('R4+', 'M3+')
    >>> [str(o) for o in analysis.decomposition.displacive[:2]]
    ['R4+ (a,a,0) 1.1925', 'M3+ (a;0;0) 0.9029']
    """
    relation = relate(parent, child, symprec=symprec, max_strain=max_strain, max_displacement=max_displacement)
    report = None
    if noise is not None:
        relation, report = denoise(relation, coordinate_sigma(relation) if noise == "auto" else _sigma(noise))
    decomposition = decompose(relation.distortion)
    negligible = max(NEGLIGIBLE, SIGNIFICANT * report.sigma) if report else NEGLIGIBLE
    return Analysis(relation, decomposition, primary_sets(decomposition, negligible), report)


def _sigma(noise: float | str) -> float:
    try:
        return float(noise)
    except ValueError:
        message = f"--noise expects auto or a sigma in angstrom such as 0.01, received {noise!r}"
        raise InvalidInputError(message) from None
