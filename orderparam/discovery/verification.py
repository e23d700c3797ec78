"""Verification by Curie's principle: without a primary order parameter the network must miss what symmetry forbids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orderparam.symmetry.carriers import Carrier
from orderparam.symmetry.isotropy import whole_group
from orderparam.symmetry.primary import Candidate

from .analyse import Analysis
from .constrained import input_spaces
from .floor import symmetry_floor
from .inputs import blocks_of, scalar_block
from .reach import fit_to_floor

if TYPE_CHECKING:
    from orderparam.network.fit import FitResult
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
    fitted: FitResult,
    *,
    config: FitConfig,
    helped: bool,
    on_step: Callable[[str, int, float], None] | None,
) -> tuple[Necessity, ...]:
    """Train the network again without each primary in turn, and compare with what symmetry says must be missed.

    `helped` tells that the fit had helper inputs.
    """
    found = []
    distortion = analysis.relation.distortion
    for left_out in members:
        rest = tuple(m for m in members if m is not left_out)
        group = whole_group(distortion.supercell)
        for member in rest:
            group = group & member.subgroup
        floor = symmetry_floor(analysis.decomposition, group)
        spaces = input_spaces(analysis.decomposition, carrier, rest) if carrier and rest else ()
        blocks = blocks_of(spaces) or (scalar_block(distortion.supercell),)
        again, _ = fit_to_floor(
            analysis,
            blocks,
            rest,
            floor,
            config=config,
            at_once=helped,
            start=fitted,
            on_step=staged(on_step, f"without {left_out.label}"),
        )
        found.append(
            Necessity(left_out.label, again.deviation.max, floor.max, again.deviation.strain, floor.strain_missed)
        )
    return tuple(found)


def staged(on_step: Callable[[str, int, float], None] | None, stage: str) -> Callable[[int, float], None] | None:
    """Return a callback that tells which fit a step belongs to."""
    return None if on_step is None else lambda step, norm: on_step(stage, step, norm)
