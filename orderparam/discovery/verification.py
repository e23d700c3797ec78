"""Verification by Curie's principle: without a primary order parameter the network must miss what symmetry forbids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orderparam.symmetry.carriers import Carrier
from orderparam.symmetry.isotropy import whole_group
from orderparam.symmetry.orderparameter import projected_field
from orderparam.symmetry.primary import Candidate

from .analyse import Analysis
from .inputs import fit_problem, input_blocks
from .reach import fit_with_help

if TYPE_CHECKING:
    from orderparam.network.problem import FitConfig


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


def necessity(
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
            fit_problem(analysis, input_blocks(analysis, carrier if rest else None, rest)),
            displacements=kept,
            strain=kept_strain,
        )
        stage = f"without {left_out.label}"
        again = fit_with_help(
            analysis, problem, rest, group, config=config, at_once=helped, on_step=staged(on_step, stage)
        )
        missed = float(np.linalg.norm(again.displacements - target, axis=1).max())
        strains = [float(np.linalg.norm(s - target_strain)) for s in (again.strain, kept_strain)]
        found.append(Necessity(left_out.label, missed, floor, *strains))
    return tuple(found)


def staged(on_step: Callable[[str, int, float], None] | None, stage: str) -> Callable[[int, float], None] | None:
    """Return a callback that tells which fit a step belongs to."""
    return None if on_step is None else lambda step, norm: on_step(stage, step, norm)
