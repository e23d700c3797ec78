"""What the network may learn: the primary order parameters on their carriers, and helpers where they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.o3 import Irrep, symmetric_to_irreps
from orderparam.supercell import Subgroup, Supercell
from orderparam.symmetry.carriers import HIGHEST_L, Carrier, input_fields, site_irreps
from orderparam.symmetry.isotropy import fixed_space
from orderparam.symmetry.modes import expand
from orderparam.symmetry.orderparameter import OrderParameter
from orderparam.symmetry.primary import Candidate, PrimarySet, displacive_candidates, strain_candidates

from .analyse import Analysis

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
    members = []
    for label in dict.fromkeys(irreps):
        # a sub-direction of the chosen set, else the whole order parameter
        own = [m for m in analysis.primary_members if m.label == label]
        whole = [c for c in available if c.label == label]
        if not whole:
            raise InvalidInputError(
                f"--irreps {label}: the target has no such order parameter; it has "
                f"{', '.join(dict.fromkeys(c.label for c in available)) or 'none'}"
            )
        members.append((own or whole)[0])
    share = sum(m.share for m in members)
    return PrimarySet(tuple(members), share, share)


def input_blocks(analysis: Analysis, carrier: Carrier | None, members: tuple[Candidate, ...]) -> tuple[InputBlock, ...]:
    """Return the inputs of the network: the primaries on their carrier, or a uniform scalar when nothing is broken."""
    from orderparam.network.problem import InputBlock

    supercell = analysis.relation.distortion.supercell
    if carrier is None or not members:
        return (_scalar_block(supercell),)
    blocks = []
    for member in carrier.members:
        held = [m for m in members if member.holds(m.order_parameter.irrep)]
        blocks.append(InputBlock(member.irrep, input_fields(member, held, supercell), member.name))
    return tuple(blocks)


def _scalar_block(supercell: Supercell) -> InputBlock:
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
        lattice=supercell.lattice,
        positions=supercell.positions,
        species=supercell.species,
        group=distortion.group.action(),
        displacements=np.array(distortion.displacements),
        strain=np.array(distortion.strain),
        inputs=blocks,
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
    return InputBlock(holder.irrep, input_fields(holder, [whole], distortion.supercell), name)
