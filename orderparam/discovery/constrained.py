"""The exact side of a constrained fit: which inputs are left, which symmetry they keep, and what must be given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.supercell import Subgroup
from orderparam.symmetry.carriers import Carrier
from orderparam.symmetry.constraints import Constraint, WithoutComponents
from orderparam.symmetry.inputspace import InputSpace, joint_stabiliser
from orderparam.symmetry.isotropy import fixed_projector, stabiliser
from orderparam.symmetry.orderparameter import ZERO_AMPLITUDE, Decomposition
from orderparam.symmetry.primary import Candidate, PrimarySet

from .floor import Floor, symmetry_floor


@dataclass(frozen=True, eq=False)
class FreeField:
    """What a constraint on components leaves where the input may be any field of its kind, not the primaries alone.

    Attributes
    ----------
    name : str
        The site irrep.
    group : Subgroup
        Symmetry that all allowed fields keep.
    stepping_in : tuple of str
        Irreps that the field holds beside the primaries, that the constraint allows, and that break more.
    """

    name: str
    group: Subgroup
    stepping_in: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Constrained:
    """A constraint applied to a target.

    Attributes
    ----------
    constraint : Constraint
        As it reads in the child's domain.
    spaces : tuple of InputSpace
        What the inputs may still be.
    members : tuple of Candidate
        The order parameters that are left, along what is left of their directions.
    floor : Floor
        With the group K that all allowed inputs keep, and the exact projection P_K of the target.
    free : FreeField or None
        For comparison, where the constraint is on components.
    notes : tuple of str
    """

    constraint: Constraint
    spaces: tuple[InputSpace, ...]
    members: tuple[Candidate, ...]
    floor: Floor
    free: FreeField | None
    notes: tuple[str, ...]

    @property
    def group(self) -> Subgroup:
        """K, the stabiliser of all inputs allowed."""
        return self.floor.group


def constrain(
    decomposition: Decomposition,
    constraint: Constraint,
    carrier: Carrier,
    members: Sequence[Candidate],
    *,
    free: bool = False,
) -> Constrained:
    """Apply a constraint to the inputs for a target.

    Parameters
    ----------
    decomposition : Decomposition
    constraint : Constraint
        Directions and components in any domain: the one is taken in which most of the target remains.
    carrier : Carrier
    members : sequence of Candidate
        The order parameters that the inputs follow.
    free : bool
        Whether the inputs are all fields that are invariant under the child's group, not these order parameters only.

    Raises
    ------
    InvalidInputError
        When nothing is left; it says what each part of the constraint would leave.
    """
    spaces = input_spaces(decomposition, carrier, members, free=free)
    for term in constraint.terms:
        if isinstance(term, WithoutComponents) and term.site_irrep.name not in {s.site_irrep.name for s in spaces}:
            raise InvalidInputError(
                f"--constrain {term.spec}: the inputs are {carrier.name}; constrain these, or choose --carrier "
                f"{term.site_irrep.name}"
            )
    found = _best_domain(decomposition, constraint, spaces)
    if found is None:
        raise InvalidInputError(_nothing_left(constraint, spaces))
    constraint, left, floor = found
    nothing = (floor.group.elements == decomposition.distortion.group.elements).all()
    notes = (f"the constraint {constraint.spec} takes no symmetry-breaking away: all of it remains",) if nothing else ()
    return Constrained(
        constraint,
        left,
        _members_left(members, left, floor.group),
        floor,
        None if free else _free_field(decomposition, constraint, left),
        notes,
    )


def primaries_under(decomposition: Decomposition, constraint: Constraint, primaries: PrimarySet) -> PrimarySet:
    """Return the order parameters that generate the structure of the groups that a constraint names.

    They are the given ones where these do; else those of the first group's own structure, which may have others (an
    M2+ that is secondary in the child, say).
    """
    for term in constraint.subgroups:
        wanted = stabiliser_of_projection(decomposition, term.group)
        reached = np.ones_like(wanted)
        for m in primaries.members:
            kept = m.components @ fixed_projector(m.order_parameter.irrep, term.group)
            if np.linalg.norm(kept) > ZERO_AMPLITUDE:
                o = m.order_parameter
                reached = reached & stabiliser(o.supercell, o.irrep, kept).elements
        if (reached != wanted).any() and term.primaries is not None:
            return term.primaries
    return primaries


def stabiliser_of_projection(decomposition: Decomposition, group: Subgroup) -> np.ndarray:
    """Return the elements (n_operations, n_cells) that leave P_K u and P_K strain alone: K, or more."""
    elements = np.ones_like(decomposition.distortion.group.elements)
    for o in (*decomposition.displacive, *decomposition.strain):
        kept = o.components @ fixed_projector(o.irrep, group)
        if np.linalg.norm(kept) > ZERO_AMPLITUDE:
            elements = elements & stabiliser(o.supercell, o.irrep, kept).elements
    return elements


def input_spaces(
    decomposition: Decomposition, carrier: Carrier, members: Sequence[Candidate], *, free: bool = False
) -> tuple[InputSpace, ...]:
    """Return what the inputs may be: the primaries, or every field that is invariant under the child's group."""
    distortion = decomposition.distortion
    if free:
        return tuple(InputSpace.free(s, distortion.group, distortion.supercell) for s in carrier.members)
    return tuple(InputSpace.of_candidates(s, members, distortion.supercell) for s in carrier.members)


def _best_domain(
    decomposition: Decomposition, constraint: Constraint, spaces: Sequence[InputSpace]
) -> tuple[Constraint, tuple[InputSpace, ...], Floor] | None:
    """Return the image of a constraint, and what it leaves, that keeps most of the target; None where all are empty."""
    supercell = decomposition.distortion.supercell
    found: dict[bytes, tuple[Constraint, tuple[InputSpace, ...], Floor]] = {}
    for image in constraint.images(supercell):
        projectors = [image.subspace(space).projector for space in spaces]
        key = b"".join((np.round(p + 0.00012345, 4) + 0.0).tobytes() for p in projectors)
        if key in found or not any(p.any() for p in projectors):
            continue
        left = image.restrict(spaces)
        found[key] = image, left, symmetry_floor(decomposition, joint_stabiliser(left, supercell))
    return min(found.values(), key=lambda f: (round(f[2].rms, 7), round(f[2].strain_missed, 9)), default=None)


def _members_left(members: Sequence[Candidate], spaces: Sequence[InputSpace], group: Subgroup) -> tuple[Candidate, ...]:
    """Return the order parameters that the inputs still hold, projected onto what their group allows."""
    labels = {label for space in spaces for label in space.stabilisers}
    return tuple(
        replace(m, components=m.components @ fixed_projector(m.order_parameter.irrep, group))
        for m in members
        if m.label in labels
    )


def _free_field(decomposition: Decomposition, constraint: Constraint, left: Sequence[InputSpace]) -> FreeField | None:
    """Return what the constraint leaves of a free field on the site irrep whose components it is about."""
    named = next((t.site_irrep for t in constraint.terms if isinstance(t, WithoutComponents)), None)
    if named is None:
        return None
    distortion = decomposition.distortion
    (space,) = constraint.restrict([InputSpace.free(named, distortion.group, distortion.supercell)]) or (None,)
    if space is None:
        return None
    primary = joint_stabiliser(left, distortion.supercell)
    breaking = [label for label, own in space.stabilisers.items() if not primary <= own]
    sizes = {o.label: o.amplitude for o in decomposition.displacive}
    breaking.sort(key=lambda label: -sizes.get(label, 0.0))
    return FreeField(named.name, joint_stabiliser([space], distortion.supercell), tuple(breaking))


def _nothing_left(constraint: Constraint, spaces: Sequence[InputSpace]) -> str:
    """Say what each term alone would leave."""
    held = ", ".join(sorted({b.irrep.label for space in spaces for b in space.bases})) or "none"
    parts = []
    for term in constraint.terms:
        alone = Constraint((term,)).restrict(spaces)
        labels = sorted({label for space in alone for label in space.stabilisers})
        parts.append(f"{term.spec} by itself leaves {', '.join(labels) or 'nothing'}")
    return (
        f"--constrain {constraint.spec} leaves nothing of the inputs ({held}): {'; '.join(parts)}. "
        "Loosen it, or give the network other inputs with --irreps or --carrier"
    )
