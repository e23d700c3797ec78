"""What the network may learn: the primary order parameters on their carriers, and helpers where they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.o3 import Irrep, symmetric_to_irreps
from orderparam.supercell import Subgroup, Supercell
from orderparam.symmetry.carriers import HIGHEST_L, Carrier, choose_carrier, find_carriers, site_irreps
from orderparam.symmetry.constraints import Constraint
from orderparam.symmetry.inputspace import InputSpace
from orderparam.symmetry.isotropy import fixed_space
from orderparam.symmetry.modes import expand
from orderparam.symmetry.orderparameter import OrderParameter
from orderparam.symmetry.primary import Candidate, PrimarySet, displacive_candidates, strain_candidates

from .analyse import Analysis
from .constrained import Constrained, constrain, input_spaces, primaries_under

if TYPE_CHECKING:
    from orderparam.network.problem import FitProblem, InputBlock

UNREACHABLE = 1e-7
"""Irreps of the unreachable part of a target above this (angstrom) are named."""


def chosen_primaries(analysis: Analysis, irreps: tuple[str, ...] | None) -> PrimarySet | None:
    """Return the chosen primary set, or the one that the user names."""
    if irreps is None:
        return analysis.primaries
    displacive = displacive_candidates(analysis.decomposition)
    available = [*displacive, *strain_candidates(analysis.decomposition)]
    known = ", ".join(dict.fromkeys(c.label for c in available)) or "none"
    if not irreps:
        raise InvalidInputError(f"--irreps: expected labels of order parameters of the target; it has {known}")
    members = []
    for label in dict.fromkeys(irreps):
        whole = [c for c in available if c.order_parameter.irrep.is_called(label)]
        if not whole:
            raise InvalidInputError(f"--irreps {label}: the target has no such order parameter; it has {known}")
        for name in dict.fromkeys(c.label for c in whole):
            # a sub-direction of the chosen set, else the whole order parameter
            own = [m for m in analysis.primary_members if m.label == name]
            members.append((own or [c for c in whole if c.label == name])[0])
    share = sum(m.share for m in members)
    return PrimarySet(tuple(members), share, share)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the network may learn.

    Attributes
    ----------
    members : tuple of Candidate
        Order parameters that the inputs follow.
    carriers : tuple of Carrier
        Possible carriers, the preferred first.
    carrier : Carrier or None
        The one used; None without an order parameter.
    spaces : tuple of InputSpace
        The fields that are allowed, one space per member of the carrier.
    constrained : Constrained or None
        The exact side of a constraint.
    """

    members: tuple[Candidate, ...]
    carriers: tuple[Carrier, ...] = ()
    carrier: Carrier | None = None
    spaces: tuple[InputSpace, ...] = ()
    constrained: Constrained | None = None

    def blocks(self, supercell: Supercell) -> tuple[InputBlock, ...]:
        """Return the inputs of the network; a uniform scalar where there is no order parameter."""
        return blocks_of(self.spaces) or (scalar_block(supercell),)


def choose_inputs(
    analysis: Analysis,
    *,
    carrier: str | None = None,
    irreps: tuple[str, ...] | None = None,
    constraint: Constraint | None = None,
    free: bool = False,
) -> Inputs:
    """Choose order parameters and the sites that carry them, and apply a constraint.

    Parameters are those of `discover`.

    Raises
    ------
    InvalidInputError
        When a carrier or irrep is unknown or cannot do, or a constraint leaves nothing.
    """
    primaries = chosen_primaries(analysis, irreps)
    if primaries is None:
        if constraint is not None and constraint.terms:
            raise InvalidInputError(
                f"--constrain {constraint.spec}: no symmetry is broken; there is nothing to constrain"
            )
        return Inputs(())
    decomposition = analysis.decomposition
    if constraint is not None and irreps is None:
        primaries = primaries_under(decomposition, constraint, primaries)
    carrier = carrier or (constraint and constraint.carrier)
    carriers = find_carriers(decomposition, primaries)
    chosen = choose_carrier(decomposition, primaries, carrier) if carrier else carriers[0]
    if constraint is None or not constraint.terms:
        spaces = input_spaces(decomposition, chosen, primaries.members, free=free)
        return Inputs(primaries.members, carriers, chosen, spaces)
    found = constrain(decomposition, constraint, chosen, primaries.members, free=free)
    return Inputs(found.members, carriers, chosen, found.spaces, found)


def blocks_of(spaces: Sequence[InputSpace]) -> tuple[InputBlock, ...]:
    """Return input spaces as the network takes them."""
    from orderparam.network.problem import InputBlock

    return tuple(InputBlock(s.site_irrep.irrep, np.array(s.fields), s.site_irrep.name) for s in spaces if s.n_free)


def scalar_block(supercell: Supercell) -> InputBlock:
    """Return a uniform 0e field: it breaks nothing and carries changes within the parent's symmetry."""
    from orderparam.network.problem import InputBlock

    field = np.full((1, supercell.n_atoms, 1), 1 / np.sqrt(supercell.n_atoms))
    return InputBlock(Irrep(0, 1), field, "all:0e")


def fit_problem(analysis: Analysis, blocks: tuple[InputBlock, ...]) -> FitProblem:
    """Return the child's distortion as a task for the network with these inputs."""
    from orderparam.network.problem import FitProblem

    distortion = analysis.relation.distortion
    supercell = distortion.supercell
    return FitProblem(
        lattice=None if supercell.parent.finite else supercell.lattice,
        positions=supercell.points if supercell.parent.finite else supercell.positions,
        species=supercell.species,
        group=distortion.group.action(),
        displacements=np.array(distortion.displacements),
        strain=np.array(distortion.strain),
        inputs=blocks,
        periodic=supercell.periodic,
    )


def secondary_block(
    analysis: Analysis, members: tuple[Candidate, ...], group: Subgroup
) -> tuple[InputBlock, tuple[str, ...]]:
    """Return a helper input: vectors on all atoms, free within the target's secondary irreps as a group allows."""
    from orderparam.network.problem import InputBlock

    primary = {m.label for m in members}
    fields, labels = [], []
    for o in analysis.decomposition.displacive:
        directions = fixed_space(o.irrep, group)
        if o.label in primary or np.linalg.norm(o.components @ directions.T) < UNREACHABLE:
            continue
        labels.append(o.label)
        units = np.eye(o.basis.copies)[:, None, :, None] * directions[None, :, None, :]
        fields += [expand(o.basis, o.supercell, unit) for unit in units.reshape(-1, *o.components.shape)]
    n_atoms = analysis.relation.distortion.supercell.n_atoms
    basis = np.array(fields).reshape(-1, n_atoms, 3)
    basis /= np.linalg.norm(basis, axis=(1, 2), keepdims=True)
    return InputBlock(Irrep(1, -1), basis, f"all:1o ({', '.join(labels)})"), tuple(labels)


def irreps_in(analysis: Analysis, displacements: np.ndarray, strain: np.ndarray) -> list[OrderParameter]:
    """Return the order parameters of the target that a field has a part in."""
    supercell = analysis.relation.distortion.supercell
    found = []
    for o in analysis.decomposition.displacive:
        part = o.basis.components(supercell.fourier(displacements, o.basis.k))
        if np.linalg.norm(part) > UNREACHABLE:
            found.append(o)
    values = symmetric_to_irreps(strain)[None, None]
    known = {o.label for o in found}
    strained = (o for o in analysis.decomposition.strain if np.linalg.norm(o.basis.components(values)) > UNREACHABLE)
    return [*found, *(o for o in strained if o.label not in known)]


def helper_block(analysis: Analysis, missing: OrderParameter, taken: set[str]) -> InputBlock | None:
    """Return an input on the cheapest site irrep that holds a missing irrep."""
    from orderparam.network.problem import InputBlock

    distortion = analysis.relation.distortion
    holders = [s for s in site_irreps(distortion.supercell.parent) if s.holds(missing.irrep)]
    holders.sort(key=lambda s: (s.irrep.l == HIGHEST_L, s.components_per_formula_unit, s.name))
    if not holders:
        return None
    whole = Candidate(missing, missing.components, fixed_space(missing.irrep, distortion.group), missing.subgroup, 0.0)
    holder = holders[0]
    name = f"{holder.name} ({missing.label})"
    if name in taken:
        return None
    return InputBlock(holder.irrep, InputSpace.of_candidates(holder, [whole], distortion.supercell).fields, name)
