"""The learned half: choose inputs, fit the network, name what it learned and verify that it is necessary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import ConvergenceError, InvalidInputError, SymmetryError
from orderparam.o3 import Irrep, wigner_d
from orderparam.spacegroup import report_symmetry
from orderparam.supercell import Subgroup, Supercell
from orderparam.symmetry.carriers import (
    HIGHEST_L,
    Carrier,
    SiteIrrep,
    choose_carrier,
    find_carriers,
    input_fields,
    site_irreps,
)
from orderparam.symmetry.isotropy import direction_symbol, fixed_space, stabiliser, whole_group
from orderparam.symmetry.modes import SiteRepresentation, expand, mode_basis, part_norms
from orderparam.symmetry.orderparameter import OrderParameter, projected_field
from orderparam.symmetry.parentirreps import ParentIrrep, commensurate_irreps
from orderparam.symmetry.primary import Candidate, PrimarySet, displacive_candidates, strain_candidates

from .analyse import Analysis

if TYPE_CHECKING:
    from orderparam.crystal import Crystal
    from orderparam.network.architecture import ArchitectureChoice
    from orderparam.network.fit import FitResult
    from orderparam.network.problem import FitConfig, FitProblem, InputBlock

UNREACHABLE = 1e-7
"""Irreps of the unreachable part of a target above this (angstrom) are named."""

ILL_CONDITIONED, MANY_RESIDUALS = 1e-6, 60
"""A worse conditioned target of more numbers gets its secondary irreps as helpers."""


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


@dataclass(frozen=True)
class Necessity:
    """What happens without one primary order parameter.

    ``residual_max`` is what the network then misses, ``exact_floor_max`` what every function without it must miss:
    the largest displacement of u - P_K u, K the isotropy subgroup of the others (angstrom). The same for the strain,
    in Frobenius norm.
    """

    without: str
    residual_max: float
    exact_floor_max: float
    strain_residual: float
    strain_floor: float


@dataclass(frozen=True, eq=False)
class Discovery:
    """A fitted and verified explanation of a child.

    Attributes
    ----------
    analysis : Analysis
    primaries : tuple of Candidate
        The order parameters that the network was given.
    carriers : tuple of Carrier
        Possible carriers, the preferred first.
    carrier : Carrier or None
        The one used; None when nothing is broken.
    helpers : tuple of str
        Secondary irreps that had to be given as inputs because no architecture of the ladder reached them.
    unreachable : tuple of str
        Irreps that the chosen architecture could not reach from the primaries alone.
    gradient : tuple of GradientEntry
    fit : FitResult
    blocks : tuple of InputBlock
    learned : tuple of LearnedOrderParameter
    learned_fields : dict
        Field (n_atoms, 2 l + 1) per input, each primary irrep scaled to its exact amplitude.
    necessity : tuple of Necessity
    predicted_group : (int, str)
        Space group of the predicted structure by spglib at symprec 1e-4.
    seconds : dict
    """

    analysis: Analysis
    primaries: tuple[Candidate, ...]
    carriers: tuple[Carrier, ...]
    carrier: Carrier | None
    helpers: tuple[str, ...]
    unreachable: tuple[str, ...]
    gradient: tuple[GradientEntry, ...]
    fit: FitResult
    blocks: tuple[InputBlock, ...]
    learned: tuple[LearnedOrderParameter, ...]
    learned_fields: dict[str, np.ndarray]
    necessity: tuple[Necessity, ...]
    predicted_group: tuple[int, str]
    seconds: dict[str, float]


def discover(
    analysis: Analysis,
    *,
    seed: int,
    carrier: str | None = None,
    irreps: tuple[str, ...] | None = None,
    on_step: Callable[[str, int, float], None] | None = None,
) -> Discovery:
    """Learn the order parameters of an analysed pair.

    Parameters
    ----------
    analysis : Analysis
    seed : int
        Of the weights.
    carrier : str, optional
        Site irrep to use, such as ``Mn:1e``; by default the preferred one of `find_carriers`.
    irreps : tuple of str, optional
        Labels of the order parameters to use in place of the chosen primary set.
    on_step : callable, optional
        Called with the stage, the step and the norm of the residuals.

    Raises
    ------
    InvalidInputError
        When a carrier or irrep is unknown or cannot do.
    """
    from orderparam.network.fit import fit
    from orderparam.network.gradient import input_gradient
    from orderparam.network.problem import FitConfig

    config = FitConfig(seed=seed)
    clock = _Clock()
    primaries = _primaries(analysis, irreps)
    carriers: tuple[Carrier, ...] = ()
    chosen = None
    if primaries:
        carriers = find_carriers(analysis.decomposition, primaries)
        chosen = choose_carrier(analysis.decomposition, primaries, carrier) if carrier else carriers[0]
    members = primaries.members if primaries else ()
    blocks = _blocks(analysis, chosen, members)
    problem = _problem(analysis, blocks)
    clock.lap("inputs")
    gradient = _gradient_table(analysis, input_gradient(problem, _ALL_IRREPS, seed=seed))
    clock.lap("gradient")
    problem, choice, helpers, unreachable = _reachable(analysis, problem, members, config)
    clock.lap("architecture")
    result = fit(problem, config, architecture=choice.architecture, on_step=_staged(on_step, "fit"))
    result = replace(result, choice=choice)
    clock.lap("fit")
    learned, fields = _name_inputs(analysis, chosen, members, result)
    necessity = _necessity(analysis, chosen, members, config=config, helped=bool(helpers), on_step=on_step)
    clock.lap("verification")
    predicted = predicted_crystal(analysis, result)
    try:
        report = report_symmetry(predicted, 1e-4)
        group = (report.number, report.symbol)
    except SymmetryError as problem_found:
        raise ConvergenceError("the prediction has no space group that spglib can find") from problem_found
    return Discovery(
        analysis=analysis,
        primaries=members,
        carriers=carriers,
        carrier=chosen,
        helpers=helpers,
        unreachable=unreachable,
        gradient=gradient,
        fit=result,
        blocks=problem.inputs,
        learned=learned,
        learned_fields=fields,
        necessity=necessity,
        predicted_group=group,
        seconds=clock.laps,
    )


_ALL_IRREPS = [Irrep(degree, parity) for degree in range(HIGHEST_L + 1) for parity in (1, -1)]


class _Clock:
    """Wall time per stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 4)
        self._last = now


def _staged(on_step: Callable[[str, int, float], None] | None, stage: str) -> Callable[[int, float], None] | None:
    return None if on_step is None else lambda step, norm: on_step(stage, step, norm)


# --- inputs -------------------------------------------------------------------------------------------------------


def _primaries(analysis: Analysis, irreps: tuple[str, ...] | None) -> PrimarySet | None:
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


def _blocks(analysis: Analysis, carrier: Carrier | None, members: tuple[Candidate, ...]) -> tuple[InputBlock, ...]:
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


def _problem(analysis: Analysis, blocks: tuple[InputBlock, ...]) -> FitProblem:
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


def _reachable(
    analysis: Analysis, problem: FitProblem, members: tuple[Candidate, ...], config: FitConfig
) -> tuple[FitProblem, ArchitectureChoice, tuple[str, ...], tuple[str, ...]]:
    """Choose the architecture; where the whole ladder falls short, give the missing irreps as helper inputs."""
    from orderparam.network.architecture import choose_architecture

    choice = choose_architecture(problem, config)
    if _hopeless(choice):
        block, labels = _secondary_block(analysis, members, analysis.relation.distortion.group)
        problem = replace(problem, inputs=(*problem.inputs, block))
        return problem, choose_architecture(problem, config), labels, ()
    if choice.reachable:
        return problem, choice, (), ()
    displacements, strain = choice.chosen.unreachable_displacements, choice.chosen.unreachable_strain
    missing = _irreps_in(analysis, displacements, strain)
    helpers = []
    blocks = list(problem.inputs)
    for found in missing:
        block = _helper_block(analysis, found, {b.name for b in blocks})
        if block is not None:
            blocks.append(block)
            helpers.append(found.label)
    problem = replace(problem, inputs=tuple(blocks))
    return problem, choose_architecture(problem, config), tuple(helpers), tuple(m.label for m in missing)


def _hopeless(choice: ArchitectureChoice) -> bool:
    """Whether a target is in reach by the rank test but too ill-conditioned to be met from the primaries alone.

    So it is for children with hardly any symmetry, whose many secondary order parameters are of every order in the
    primaries and owe nothing to them (random displacements of 40 atoms: 3e-7 with 120 residuals).
    """
    chosen = choice.chosen
    return chosen.conditioning < ILL_CONDITIONED and chosen.n_residuals > MANY_RESIDUALS


def _secondary_block(
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


def _fit_with_help(
    analysis: Analysis,
    problem: FitProblem,
    members: tuple[Candidate, ...],
    group: Subgroup,
    *,
    config: FitConfig,
    at_once: bool,
    on_step: Callable[[int, float], None] | None,
) -> FitResult:
    """Fit from the primaries; where that stalls, or at once, add the secondary irreps that a group allows."""
    from orderparam.network.architecture import choose_architecture
    from orderparam.network.fit import fit

    if not at_once:
        choice = choose_architecture(problem, config)
        once = replace(config, max_restarts=min(1, config.max_restarts))
        result = fit(problem, once, architecture=choice.architecture, on_step=on_step)
        if result.converged or not choice.reachable:
            return result
    problem = replace(problem, inputs=(*problem.inputs, _secondary_block(analysis, members, group)[0]))
    return fit(problem, config, on_step=on_step)


def _irreps_in(analysis: Analysis, displacements: np.ndarray, strain: np.ndarray) -> list[OrderParameter]:
    """Return the order parameters of the target that a field has a part in."""
    supercell = analysis.relation.distortion.supercell
    found = []
    for o in analysis.decomposition.displacive:
        part = o.basis.components(supercell.fourier(displacements, o.basis.k))
        if np.linalg.norm(part) > UNREACHABLE:
            found.append(o)
    from orderparam.o3 import symmetric_to_irreps

    values = symmetric_to_irreps(strain)[None, None]
    known = {o.label for o in found}
    strained = (o for o in analysis.decomposition.strain if np.linalg.norm(o.basis.components(values)) > UNREACHABLE)
    return [*found, *(o for o in strained if o.label not in known)]


def _helper_block(analysis: Analysis, missing: OrderParameter, taken: set[str]) -> InputBlock | None:
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


# --- what was learned ---------------------------------------------------------------------------------------------


def _gradient_table(analysis: Analysis, gradients: dict[Irrep, np.ndarray]) -> tuple[GradientEntry, ...]:
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


def _name_inputs(
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


# --- verification -------------------------------------------------------------------------------------------------


def _necessity(
    analysis: Analysis,
    carrier: Carrier | None,
    members: tuple[Candidate, ...],
    *,
    config: FitConfig,
    helped: bool,
    on_step: Callable[[str, int, float], None] | None,
) -> tuple[Necessity, ...]:
    """Fit again without each primary in turn, and compare with what symmetry says must be missed."""
    found = []
    target = analysis.relation.distortion.displacements
    target_strain = analysis.relation.distortion.strain
    for left_out in members:
        rest = tuple(m for m in members if m is not left_out)
        group = whole_group(analysis.relation.distortion.supercell)
        for member in rest:
            group = group & member.subgroup
        kept, kept_strain = projected_field(analysis.decomposition, group)
        floor = float(np.linalg.norm(target - kept, axis=1).max())
        # the best that symmetry allows is the target that the network is given: what it then misses is the floor
        problem = replace(
            _problem(analysis, _blocks(analysis, carrier if rest else None, rest)),
            displacements=kept,
            strain=kept_strain,
        )
        stage = f"without {left_out.label}"
        again = _fit_with_help(
            analysis, problem, rest, group, config=config, at_once=helped, on_step=_staged(on_step, stage)
        )
        missed = float(np.linalg.norm(again.displacements - target, axis=1).max())
        strains = [float(np.linalg.norm(s - target_strain)) for s in (again.strain, kept_strain)]
        found.append(Necessity(left_out.label, missed, floor, *strains))
    return tuple(found)


def predicted_crystal(analysis: Analysis, result: FitResult) -> Crystal:
    """Return the structure that the network predicts, in the parent's frame."""
    supercell = analysis.relation.distortion.supercell
    return supercell.with_displacements(result.displacements, result.strain, "predicted")
