"""Which network reaches the target, and what to give it where none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orderparam.supercell import Subgroup
from orderparam.symmetry.primary import Candidate

from .analyse import Analysis
from .floor import Floor
from .inputs import fit_problem, helper_block, irreps_in, scalar_block, secondary_block

if TYPE_CHECKING:
    from orderparam.network.architecture import ArchitectureChoice
    from orderparam.network.fit import FitResult
    from orderparam.network.problem import FitConfig, FitProblem, InputBlock

ILL_CONDITIONED, MANY_RESIDUALS = 5e-5, 40
"""A worse conditioned target of more numbers gets its secondary irreps as helpers."""

RESTARTS_WITHOUT_HELP = 2
"""A fit from the primaries alone that has not converged after so many restarts gets helpers too."""


def within_reach(
    analysis: Analysis, problem: FitProblem, members: tuple[Candidate, ...], config: FitConfig
) -> tuple[FitProblem, ArchitectureChoice, tuple[str, ...], tuple[str, ...]]:
    """Choose the architecture; where the whole ladder falls short, give the missing irreps as helper inputs."""
    from orderparam.network.architecture import choose_architecture

    choice = choose_architecture(problem, config)
    if _is_hopeless(choice):
        block, labels = secondary_block(analysis, members, analysis.relation.distortion.group)
        problem = replace(problem, inputs=(*problem.inputs, block))
        return problem, choose_architecture(problem, config), labels, ()
    if choice.reachable:
        return problem, choice, (), ()
    displacements, strain = choice.chosen.unreachable_displacements, choice.chosen.unreachable_strain
    missing = irreps_in(analysis, displacements, strain)
    helpers = []
    blocks = list(problem.inputs)
    for found in missing:
        block = helper_block(analysis, found, {b.name for b in blocks})
        if block is not None:
            blocks.append(block)
            helpers.append(found.label)
    problem = replace(problem, inputs=tuple(blocks))
    return problem, choose_architecture(problem, config), tuple(helpers), tuple(m.label for m in missing)


def fit_child(
    analysis: Analysis,
    problem: FitProblem,
    members: tuple[Candidate, ...],
    config: FitConfig,
    on_step: Callable[[int, float], None] | None,
) -> tuple[FitResult, tuple[InputBlock, ...], tuple[str, ...], tuple[str, ...]]:
    """Fit the whole child; return the fit, its inputs, the helpers among them, and the irreps out of reach.

    The rank test holds at random weights only: where a fit from the primaries stalls all the same, the secondary irreps
    are given as a helper input.
    """
    from orderparam.network.architecture import choose_architecture
    from orderparam.network.fit import fit

    problem, choice, helpers, unreachable = within_reach(analysis, problem, members, config)
    few = replace(config, max_restarts=min(RESTARTS_WITHOUT_HELP, config.max_restarts))
    result = fit(problem, config if helpers else few, architecture=choice, on_step=on_step)
    block, labels = secondary_block(analysis, members, analysis.relation.distortion.group)
    if not result.converged and not helpers and labels:
        tried = result
        problem, helpers = replace(problem, inputs=(*problem.inputs, block)), labels
        choice = choose_architecture(problem, config)
        result = fit(problem, config, architecture=choice, on_step=on_step)
        spent = {"iterations": tried.iterations + result.iterations, "restarts": tried.restarts + 1 + result.restarts}
        result = replace(result, **spent)
    return result, problem.inputs, helpers, unreachable


def _is_hopeless(choice: ArchitectureChoice) -> bool:
    """Whether a target is in reach by the rank test but too ill-conditioned to be met from the primaries alone.

    So it is for children with hardly any symmetry, whose many secondary order parameters are of every order in the
    primaries and owe nothing to them (random displacements of 40 atoms: 1e-7 to 4e-6 with 54 residuals in P-1, 74 in
    Pm, 123 in P1; the real children K2SeO4: 6e-4 with 65, WO3: 1e-5 with 28).
    """
    chosen = choice.chosen
    return chosen.conditioning < ILL_CONDITIONED and chosen.n_residuals > MANY_RESIDUALS


def fit_with_help(
    analysis: Analysis,
    problem: FitProblem,
    members: tuple[Candidate, ...],
    group: Subgroup,
    *,
    config: FitConfig,
    at_once: bool,
    start: FitResult | None,
    on_step: Callable[[int, float], None] | None,
) -> tuple[FitResult, tuple[InputBlock, ...]]:
    """Fit from the primaries; where that stalls, or at once, add the secondary irreps that a group allows.

    An earlier fit is trained on first, where its architecture can reach the target; if that does not lead there,
    networks start at random as ever.
    """
    from orderparam.network.architecture import choose_architecture, climb
    from orderparam.network.fit import fit

    found: list[tuple[FitResult, tuple[InputBlock, ...]]] = []

    def attempt(problem: FitProblem, max_restarts: int, **options: Any) -> bool:
        limited = replace(config, max_restarts=min(max_restarts, config.max_restarts))
        found.append((fit(problem, limited, on_step=on_step, **options), problem.inputs))
        return found[-1][0].converged

    def helped() -> FitProblem:
        return replace(problem, inputs=(*problem.inputs, secondary_block(analysis, members, group)[0]))

    done = False
    if start is not None:
        again = helped() if at_once else problem
        choice = climb(again, config, (start.choice.architecture,))[0]
        if choice.chosen.unreachable <= config.accepted:
            done = attempt(again, 0, architecture=choice, start=start)
    if not done and not at_once:
        choice = choose_architecture(problem, config)
        done = attempt(problem, 1, architecture=choice) or not choice.reachable
    if not done:
        attempt(helped(), config.max_restarts)
    return min(found, key=lambda one: (not one[0].converged, one[0].deviation.max))


def fit_to_floor(
    analysis: Analysis,
    blocks: tuple[InputBlock, ...],
    members: tuple[Candidate, ...],
    floor: Floor,
    *,
    config: FitConfig,
    at_once: bool = False,
    start: FitResult | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> tuple[FitResult, tuple[InputBlock, ...]]:
    """Fit as much of the child as inputs of a given symmetry allow.

    With f = P_K f, |f - u|^2 = |f - P_K u|^2 + |u - P_K u|^2: both targets have one minimum and one gradient. The
    network is given P_K u, so that it can converge; the deviation of the result is that from the child itself. `start`
    is an earlier fit on the same sites to begin with.
    """
    from orderparam.network.fit import Deviation

    whole = fit_problem(analysis, blocks)
    problem = replace(whole, displacements=floor.displacements, strain=floor.strain)
    result, blocks = fit_with_help(
        analysis, problem, members, floor.group, config=config, at_once=at_once, start=start, on_step=on_step
    )
    return replace(result, deviation=Deviation.between(whole, result.displacements, result.strain)), blocks


def fit_without_order_parameter(
    analysis: Analysis,
    floor: Floor,
    *,
    config: FitConfig,
    on_step: Callable[[int, float], None] | None = None,
) -> FitResult:
    """Fit the whole child with no input that could break the symmetry: what is left must be the symmetry floor.

    The only input is a uniform scalar, which carries changes within the parent's own symmetry. The result has converged
    when it is the best that symmetry allows.
    """
    from orderparam.network.architecture import choose_architecture
    from orderparam.network.fit import Deviation, fit

    whole = fit_problem(analysis, (scalar_block(analysis.relation.distortion.supercell),))
    best = replace(whole, displacements=floor.displacements, strain=floor.strain)
    choice = choose_architecture(best, config)
    result = fit(whole, config, architecture=choice.architecture, on_step=on_step)  # out of reach: one start
    gap = Deviation.between(best, result.displacements, result.strain)
    met = max(gap.max, gap.strain * config.strain_length) <= config.accepted
    return replace(result, choice=choice, converged=met)
