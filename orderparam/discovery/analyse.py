"""The exact half: a pair of structures becomes named order parameters."""

from __future__ import annotations

from dataclasses import dataclass

from orderparam.crystal import Crystal
from orderparam.parent import Parent
from orderparam.symmetry.orderparameter import Decomposition, decompose
from orderparam.symmetry.primary import Candidate, PrimarySet, primary_sets

from .relate import Relation, relate

WEAK_SHARE = 0.5
"""A chosen set that explains less than this part of the displacement deserves a warning."""


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
    """

    relation: Relation
    decomposition: Decomposition
    primary_sets: tuple[PrimarySet, ...]

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
        return (*self.relation.parent.warnings, *self.relation.warnings, *self._own_warnings())

    def _own_warnings(self) -> tuple[str, ...]:
        distortion = self.relation.distortion
        if distortion.group.index == 1:
            moved = max(distortion.lengths.max(), abs(distortion.strain).max()) > 1e-4
            if moved:
                return ("no symmetry is broken: atoms move and the cell changes within the parent's own symmetry",)
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
        if len(tied) > 1:
            notes.append(
                "several sets of primary order parameters explain the child equally well: "
                + "; ".join(" + ".join(s.labels) for s in tied)
            )
        return tuple(notes)


def analyse(
    parent: Parent, child: Crystal, *, symprec: float = 1e-3, max_strain: float = 0.25, max_displacement: float = 2.0
) -> Analysis:
    """Find the order parameters of a pair.

    Parameters are those of `relate`.

    Raises
    ------
    MatchingError
        When the child is no distortion of the parent.
    """
    relation = relate(parent, child, symprec=symprec, max_strain=max_strain, max_displacement=max_displacement)
    decomposition = decompose(relation.distortion)
    return Analysis(relation, decomposition, primary_sets(decomposition))
