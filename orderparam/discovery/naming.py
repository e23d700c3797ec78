"""What was learned, in the language of the exact side: the gradient by blocks, and the learned fields by irreps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orderparam.o3 import Irrep, wigner_d
from orderparam.supercell import Supercell
from orderparam.symmetry.carriers import HIGHEST_L, SiteIrrep
from orderparam.symmetry.isotropy import direction_symbol, fixed_projector, stabiliser
from orderparam.symmetry.modes import SiteRepresentation, mode_basis, part_norms
from orderparam.symmetry.parentirreps import commensurate_irreps

from .analyse import Analysis
from .inputs import Inputs, fit_problem

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


def input_gradient(analysis: Analysis, *, seed: int) -> tuple[GradientEntry, ...]:
    """Return which inputs could lift the symmetry floor: the gradient of the loss at no input at all.

    Curie's principle as a table. The gradient by an input is an equivariant linear image of the target, so that only
    inputs of an irrep that the target has get any; the zeros are exact, the other numbers depend on the seed. The
    target is the displacements, or the strain where these break no symmetry.
    """
    from orderparam.network.gradient import input_gradient as gradient_at_zero

    breaks = any(not o.is_zero and not o.irrep.is_identity for o in analysis.decomposition.displacive)
    of_strain = not breaks and not analysis.relation.parent.finite
    return gradient_table(
        analysis, gradient_at_zero(fit_problem(analysis, ()), ALL_IRREPS, seed=seed, of_strain=of_strain)
    )


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
        if parent.finite:
            entries += _shared_entries(SiteIrrep(parent, irrep, ()), gradient, supercell)
    largest = max((e.norm for e in entries), default=0.0)
    # norms are roots of sums in which rounding leaves 1e-17
    entries = [replace(e, norm=e.norm if e.norm > 1e-7 * largest else 0.0) for e in entries]
    return tuple(sorted(entries, key=lambda e: (-e.norm, e.site, e.irrep, e.space_group_irrep)))


def _shared_entries(shared: SiteIrrep, gradient: np.ndarray, supercell: Supercell) -> list[GradientEntry]:
    """Return the entries of an input that all points share, a unit of which is spread evenly over them."""
    entries = []
    for irrep in commensurate_irreps(supercell):
        if shared.holds(irrep):
            basis = mode_basis(shared.representation(), irrep)
            norm = np.linalg.norm(shared.components(basis, gradient, supercell)) * np.sqrt(supercell.n_atoms)
            entries.append(GradientEntry(shared.element, shared.site, str(shared.irrep), irrep.label, float(norm)))
    return entries


def name_inputs(
    analysis: Analysis, inputs: Inputs, result: FitResult
) -> tuple[tuple[LearnedOrderParameter, ...], dict[str, np.ndarray]]:
    """Decompose the learned fields, name their parts, and scale every irrep to its exact amplitude."""
    supercell = analysis.relation.distortion.supercell
    learned: list[LearnedOrderParameter] = []
    fields: dict[str, np.ndarray] = {}
    if inputs.carrier is None:
        return (), {name: np.array(field) for name, field in result.inputs.items()}
    exact = _exact_amplitudes(analysis, inputs)
    for space in inputs.spaces:
        site_irrep = space.site_irrep
        field = result.inputs[site_irrep.name]
        scaled = np.zeros_like(field)
        total = float((field**2).sum()) or 1.0
        for basis in space.bases:
            irrep = basis.irrep
            components = site_irrep.components(basis, field, supercell)
            part = site_irrep.field(basis, components, supercell)
            share = float((part**2).sum()) / total
            if share < 1e-12:
                continue
            size = exact.get(irrep.label, 0.0)
            scaled += part * (size / float(np.linalg.norm(components)))
            group = stabiliser(supercell, irrep, components)
            learned.append(
                LearnedOrderParameter(
                    site_irrep.name, irrep.label, direction_symbol(irrep, group), group.space_group, share, size
                )
            )
        fields[site_irrep.name] = scaled
    return tuple(sorted(learned, key=lambda found: -found.share_of_input)), fields


def _exact_amplitudes(analysis: Analysis, inputs: Inputs) -> dict[str, float]:
    """Return Ap of every irrep of the target, or of what a constraint leaves of it; strains where they are primary."""
    group = inputs.constrained.group if inputs.constrained else analysis.relation.distortion.group
    kept = {
        o.label: float(np.linalg.norm(o.components @ fixed_projector(o.irrep, group)))
        for o in analysis.decomposition.displacive
    }
    return kept | {m.label: float(np.linalg.norm(m.components)) for m in inputs.members}
