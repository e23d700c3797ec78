"""The learned half: choose inputs, fit the network, name what it learned and verify that it is necessary."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import ConvergenceError, SymmetryError
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.carriers import Carrier, choose_carrier, find_carriers
from orderparam.symmetry.primary import Candidate

from .analyse import Analysis
from .inputs import chosen_primaries, fit_problem, input_blocks
from .naming import ALL_IRREPS, GradientEntry, LearnedOrderParameter, gradient_table, name_inputs
from .reach import within_reach
from .verification import Necessity, necessity, staged

if TYPE_CHECKING:
    from orderparam.crystal import Crystal
    from orderparam.network.fit import FitResult
    from orderparam.network.problem import InputBlock


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
    primaries = chosen_primaries(analysis, irreps)
    carriers: tuple[Carrier, ...] = ()
    chosen = None
    if primaries:
        carriers = find_carriers(analysis.decomposition, primaries)
        chosen = choose_carrier(analysis.decomposition, primaries, carrier) if carrier else carriers[0]
    members = primaries.members if primaries else ()
    blocks = input_blocks(analysis, chosen, members)
    problem = fit_problem(analysis, blocks)
    clock.lap("inputs")
    gradient = gradient_table(analysis, input_gradient(problem, ALL_IRREPS, seed=seed))
    clock.lap("gradient")
    problem, choice, helpers, unreachable = within_reach(analysis, problem, members, config)
    clock.lap("architecture")
    result = fit(problem, config, architecture=choice.architecture, on_step=staged(on_step, "fit"))
    result = replace(result, choice=choice)
    clock.lap("fit")
    learned, fields = name_inputs(analysis, chosen, members, result)
    necessities = necessity(analysis, chosen, members, config=config, helped=bool(helpers), on_step=on_step)
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
        necessity=necessities,
        predicted_group=group,
        seconds=clock.laps,
    )


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
