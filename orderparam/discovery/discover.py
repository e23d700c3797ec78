"""The learned half: choose inputs, fit the network, name what it learned and verify that it is necessary."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import and_
from typing import TYPE_CHECKING

import numpy as np

from orderparam.distortion import Distortion
from orderparam.errors import ConvergenceError, InvalidInputError, SymmetryError
from orderparam.shown import html_of
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.carriers import Carrier
from orderparam.symmetry.constraints import Constraint
from orderparam.symmetry.isotropy import whole_group
from orderparam.symmetry.orderparameter import decompose
from orderparam.symmetry.primary import Candidate
from orderparam.wording import agreeing

from .analyse import Analysis
from .constrained import Constrained
from .floor import Floor, floor_in_own_cell, symmetry_floor
from .inputs import Inputs, choose_inputs, fit_problem
from .naming import GradientEntry, LearnedOrderParameter, input_gradient, name_inputs
from .reach import fit_child, fit_to_floor, fit_without_order_parameter
from .verification import Necessity, necessity, staged

if TYPE_CHECKING:
    from orderparam.crystals.crystal import Crystal
    from orderparam.network.fit import FitResult
    from orderparam.network.problem import FitConfig, InputBlock

    from .prediction import Predictor
    from .states import Sample, States

PREDICTED_SYMPREC = 1e-4
"""spglib's tolerance for predictions, angstrom."""


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
    floor : Floor
        What no function without an order parameter can reach.
    constrained : Constrained or None
        What a constraint leaves, exactly.
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
    floor: Floor
    constrained: Constrained | None
    predicted_group: tuple[int, str]
    seconds: dict[str, float]

    @property
    def bound(self) -> Floor | None:
        """What held the fit back: a constraint, or that it had no order parameter; None if nothing did."""
        if self.constrained is not None:
            return self.constrained.floor
        broken = self.analysis.relation.distortion.group.index > 1
        return self.floor if broken and not self.primaries else None

    @property
    def target(self) -> Distortion:
        """What the network should give: the child, or what `bound` leaves of it."""
        distortion, bound = self.analysis.relation.distortion, self.bound
        if bound is None:
            return distortion
        return replace(distortion, displacements=bound.displacements, strain=bound.strain)

    @property
    def exact(self) -> Crystal:
        """The structure of `target`."""
        return self.target.crystal()

    @property
    def taught(self) -> Distortion:
        """What a predictor learns: `target` in the cell of its own group."""
        if self.constrained is None:
            return self.target
        return floor_in_own_cell(self.analysis.decomposition, self.constrained.floor)

    @cached_property
    def predictor(self) -> Predictor:
        """The fit as a function of the order parameters.

        Raises
        ------
        InvalidInputError
            When there is no order parameter, or the child does not follow from them alone.
        ConvergenceError
        """
        from .prediction import build_predictor

        if self.carrier is None or self.helpers:
            given = f"it was given {', '.join(self.helpers)}, too" if self.helpers else "it had no order parameter"
            raise InvalidInputError(f"prediction: this fit is no function of the order parameters alone: {given}")
        labels, seed = [m.label for m in self.primaries], self.fit.config.seed
        return build_predictor(decompose(self.taught), labels, self.carrier.name, self.fit.network, seed=seed)

    def predict(self, order_parameters: Mapping[str, Sequence[float] | np.ndarray]) -> Distortion:
        """Return the structure that follows from order parameters (see `Predictor.predict`)."""
        return self.predictor.predict(order_parameters)

    def domains(self) -> States:
        """Return all equivalent states by the network: f(g h) for every domain g h of the order parameter."""
        from .states import all_states

        return all_states(self.predictor)

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw whole patterns, every domain with the same probability (see `States.sample`)."""
        return self.domains().sample(n, seed=seed)

    @property
    def exact_difference(self) -> float:
        """Largest distance (angstrom) of an atom from the exact answer: the child, or what `bound` leaves of it."""
        exact = self.bound.displacements if self.bound else self.analysis.relation.distortion.displacements
        return float(np.linalg.norm(self.fit.displacements - exact, axis=1).max())

    @property
    def off_noisy_child(self) -> float | None:
        """Rms distance of the prediction from the child before it was denoised, per coordinate, angstrom.

        A fit that does not chase noise keeps this at sigma sqrt(1 - p / n). None without `Analysis.noise`, and where a
        constraint or the lack of an order parameter keeps the fit from the child (`bound`).
        """
        noise = self.analysis.noise
        if noise is None or self.bound is not None:
            return None
        return float(np.hypot(noise.residual_rms, self.fit.deviation.rms / np.sqrt(3)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the inputs and the fit."""
        child = self.analysis.relation.distortion.group
        left = reduce(and_, (m.subgroup for m in self.primaries), whole_group(child.supercell))
        notes = list(self.constrained.notes) if self.constrained else []
        if self.helpers and left.index < child.index:
            notes.append(
                f"{' and '.join(m.label for m in self.primaries)} "
                f"by {agreeing(len(self.primaries), 'itself', 'themselves')} "
                f"{agreeing(len(self.primaries), 'leaves', 'leave')} {left}, not yet the child's {child}: "
                f"{', '.join(self.helpers)} had to be given to the network as well"
            )
        if not self.fit.converged:
            if self.fit.trouble:
                notes.append(f"the fit broke off: {self.fit.trouble}; the last good state is kept")
            notes.append(f"the fit did not converge: an atom is {self.exact_difference:.1e} angstrom off")
        return tuple(notes)

    def __str__(self) -> str:
        carrier = self.carrier.name if self.carrier else "a scalar"
        return f"Discovery({self.analysis}, on {carrier}, off by {self.fit.deviation.max:.1e} angstrom)"

    __repr__ = __str__
    _repr_html_ = html_of


def discover(
    analysis: Analysis,
    *,
    seed: int,
    carrier: str | None = None,
    irreps: tuple[str, ...] | None = None,
    constraint: Constraint | None = None,
    free_field: bool = False,
    order_parameter: bool = True,
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
    constraint : Constraint, optional
        On the inputs, from `parse_constraints`; the result is then an intermediate structure.
    free_field : bool
        Whether the input may be any field on the carrier that is invariant under the child's group.
    order_parameter : bool
        False: no input that could break the symmetry; the result is the symmetry floor.
    on_step : callable, optional
        Called with the stage, the step and the norm of the residuals.

    Raises
    ------
    InvalidInputError
        When a carrier or irrep is unknown or cannot do, or a constraint leaves nothing.
    """
    from orderparam.network.problem import FitConfig

    config = FitConfig(seed=seed)
    clock = _Clock()
    inputs = choose_inputs(analysis, carrier=carrier, irreps=irreps, constraint=constraint, free=free_field)
    inputs = inputs if order_parameter else Inputs((), inputs.carriers)
    floor = symmetry_floor(analysis.decomposition)
    clock.lap("inputs")
    gradient = input_gradient(analysis, seed=seed)
    clock.lap("gradient")
    reached = _fit(analysis, inputs, floor, config, on_step)
    clock.lap("fit")
    learned, fields = name_inputs(analysis, inputs, reached.fit)
    necessities: tuple[Necessity, ...] = ()
    if inputs.constrained is None and not free_field:
        helped = bool(reached.helpers)
        necessities = necessity(
            analysis, inputs.carrier, inputs.members, reached.fit, config=config, helped=helped, on_step=on_step
        )
    clock.lap("verification")
    return Discovery(
        analysis=analysis,
        primaries=inputs.members,
        carriers=inputs.carriers,
        carrier=inputs.carrier,
        helpers=reached.helpers,
        unreachable=reached.unreachable,
        gradient=gradient,
        fit=reached.fit,
        blocks=reached.blocks,
        learned=learned,
        learned_fields=fields,
        necessity=necessities,
        floor=floor,
        constrained=inputs.constrained,
        predicted_group=_group_of(predicted_crystal(analysis, reached.fit)),
        seconds=clock.laps,
    )


@dataclass(frozen=True, eq=False)
class _Reached:
    """A fit with what it was given."""

    fit: FitResult
    blocks: tuple[InputBlock, ...]
    helpers: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()


def _fit(
    analysis: Analysis,
    inputs: Inputs,
    floor: Floor,
    config: FitConfig,
    on_step: Callable[[str, int, float], None] | None,
) -> _Reached:
    """Fit what the inputs allow: the child, what a constraint leaves of it, or its symmetric part."""
    step = staged(on_step, "fit")
    supercell = analysis.relation.distortion.supercell
    blocks = inputs.blocks(supercell)
    if inputs.constrained is not None:
        bound = inputs.constrained.floor
        result, blocks = fit_to_floor(analysis, blocks, inputs.members, bound, config=config, on_step=step)
        return _Reached(result, blocks)
    if inputs.carrier is None and analysis.relation.distortion.group.index > 1:
        return _Reached(fit_without_order_parameter(analysis, floor, config=config, on_step=step), blocks)
    problem = fit_problem(analysis, blocks)
    return _Reached(*fit_child(analysis, problem, inputs.members, config, step))


def _group_of(crystal: Crystal) -> tuple[int, str]:
    """Return the space group of a prediction by spglib."""
    try:
        report = report_symmetry(crystal, PREDICTED_SYMPREC)
    except SymmetryError as problem:
        raise ConvergenceError("the prediction has no space group that spglib can find") from problem
    return report.number, report.symbol


class _Clock:
    """Wall time per stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 4)
        self._last = now


def predicted_crystal(analysis: Analysis, result: FitResult) -> Crystal:
    """Return the structure that the network predicts, in the parent's frame."""
    supercell = analysis.relation.distortion.supercell
    return supercell.with_displacements(result.displacements, result.strain, "predicted")
