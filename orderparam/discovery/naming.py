"""What was learned, in the language of the exact side: the gradient by blocks, and the learned fields by irreps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orderparam.o3 import Irrep, wigner_d
from orderparam.supercell import Supercell
from orderparam.symmetry.carriers import HIGHEST_L, Carrier, SiteIrrep
from orderparam.symmetry.isotropy import direction_symbol, stabiliser
from orderparam.symmetry.modes import SiteRepresentation, mode_basis, part_norms
from orderparam.symmetry.parentirreps import ParentIrrep, commensurate_irreps
from orderparam.symmetry.primary import Candidate

from .analyse import Analysis

if TYPE_CHECKING:
    from orderparam.network.fit import FitResult

ALL_IRREPS = [Irrep(degree, parity) for degree in range(HIGHEST_L + 1) for parity in (1, -1)]
"""Inputs that the gradient table lists."""


@dataclass(frozen=True)
class GradientEntry:
    """How strongly the loss pulls at an input that is zero: one block of the gradient table."""

    element: str
    site: str
    irrep: str
    space_group_irrep: str
    norm: float


@dataclass(frozen=True)
class LearnedOrderParameter:
    """One irrep of the learned input field.

    Its amplitude is a gauge (inputs and weights share their scale and sign): ``normalised_to`` is the exact amplitude
    (Ap) of the irrep in the target that the published field is scaled to.
    """

    input: str
    label: str
    direction: str
    isotropy_subgroup: tuple[int, str]
    share_of_input: float
    normalised_to: float


def gradient_table(analysis: Analysis, gradients: dict[Irrep, np.ndarray]) -> tuple[GradientEntry, ...]:
    """Sort the gradient into blocks (orbit, irrep of O(3), irrep of the space group), zeros included."""
    supercell = analysis.relation.distortion.supercell
    parent = supercell.parent
    irreps = commensurate_irreps(supercell)
    entries = []
    for irrep, gradient in gradients.items():
        matrices = wigner_d(irrep, parent.rotations_cart)
        for sites in parent.orbit_sites().values():
            representation = SiteRepresentation.on_sites(parent, matrices, sites)
            held = [i for i in irreps if representation.multiplicity(i)]
            norms = part_norms(representation, held, supercell, gradient, sites)
            entries += [
                GradientEntry(
                    parent.crystal.species[sites[0]], parent.crystal.labels[sites[0]], str(irrep), i.label, float(norm)
                )
                for i, norm in zip(held, norms, strict=True)
            ]
    largest = max((e.norm for e in entries), default=0.0)
    # norms are roots of sums in which rounding leaves 1e-17
    entries = [replace(e, norm=e.norm if e.norm > 1e-7 * largest else 0.0) for e in entries]
    return tuple(sorted(entries, key=lambda e: (-e.norm, e.site, e.irrep, e.space_group_irrep)))


def name_inputs(
    analysis: Analysis, carrier: Carrier | None, members: tuple[Candidate, ...], result: FitResult
) -> tuple[tuple[LearnedOrderParameter, ...], dict[str, np.ndarray]]:
    """Decompose the learned fields, name their parts, and scale every primary irrep to its exact amplitude."""
    supercell = analysis.relation.distortion.supercell
    learned: list[LearnedOrderParameter] = []
    fields: dict[str, np.ndarray] = {}
    if carrier is None:
        return (), {name: np.array(field) for name, field in result.inputs.items()}
    for site_irrep in carrier.members:
        field = result.inputs[site_irrep.name]
        scaled = np.zeros_like(field)
        total = float((field**2).sum()) or 1.0
        for irrep in _held_irreps(site_irrep, supercell):
            basis = mode_basis(site_irrep.representation(), irrep)
            components = site_irrep.components(basis, field, supercell)
            part = site_irrep.field(basis, components, supercell)
            share = float((part**2).sum()) / total
            if share < 1e-12:
                continue
            target = next((m for m in members if m.label == irrep.label), None)
            exact = float(np.linalg.norm(target.components)) if target is not None else 0.0
            scaled += part * (exact / float(np.linalg.norm(components)))
            group = stabiliser(supercell, irrep, components)
            learned.append(
                LearnedOrderParameter(
                    site_irrep.name, irrep.label, direction_symbol(irrep, group), group.space_group, share, exact
                )
            )
        fields[site_irrep.name] = scaled
    return tuple(sorted(learned, key=lambda found: -found.share_of_input)), fields


def _held_irreps(site_irrep: SiteIrrep, supercell: Supercell) -> list[ParentIrrep]:
    """Return the commensurate irreps that a site irrep holds."""
    return [irrep for irrep in commensurate_irreps(supercell) if site_irrep.holds(irrep)]
