"""Carriers compared: what every site irrep could tell the network, exactly, and whether a network makes use of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orderparam.supercell import Subgroup
from orderparam.symmetry.carriers import SiteIrrep, find_carriers, irreps_held, site_irreps
from orderparam.symmetry.inputspace import InputSpace, joint_stabiliser
from orderparam.symmetry.isotropy import fixed_space, stabiliser, whole_group
from orderparam.symmetry.orderparameter import Decomposition, OrderParameter

from .analyse import Analysis
from .floor import Floor, symmetry_floor
from .inputs import blocks_of, chosen_primaries, fit_problem


@dataclass(frozen=True)
class Trials:
    """Fits from one carrier with several seeds.

    Attributes
    ----------
    seeds, converged : int
        How many were tried, and how many reached the tolerance.
    residual_max : float
        Largest distance of an atom from its place in the worst of them, angstrom.
    restarts : int
        Further starts, all seeds together.
    unreachable : float
        Norm of the target's part that no network of the ladder reaches from this carrier, angstrom.
    seconds : float
        All seeds together.
    """

    seeds: int
    converged: int
    residual_max: float
    restarts: int
    unreachable: float
    seconds: float


@dataclass(frozen=True, eq=False)
class ComparedCarrier:
    """One site irrep as a carrier.

    Attributes
    ----------
    site_irrep : SiteIrrep
    holds : tuple of str
        Symmetry-breaking irreps of the target that it holds.
    holds_primaries : bool
        Whether all primary order parameters are among them.
    share_held : float
        Their share of the symmetry-breaking squared displacement.
    tied, chosen : bool
        Whether the rule of preference takes it, or cannot tell it from the one that it takes.
    floor : Floor
        What inputs of these irreps must miss; its group is the symmetry that they all keep.
    trials : Trials or None
        Where it was tried.
    """

    site_irrep: SiteIrrep
    holds: tuple[str, ...]
    holds_primaries: bool
    share_held: float
    tied: bool
    chosen: bool
    floor: Floor
    trials: Trials | None = None

    @property
    def name(self) -> str:
        """Site and irrep: ``Mn:1e``."""
        return self.site_irrep.name

    @property
    def suffices(self) -> bool:
        """Whether inputs of the irreps held leave no more symmetry than the child has."""
        return self.floor.max < 1e-9 and self.floor.strain_missed < 1e-9


def compare_carriers(analysis: Analysis, irreps: tuple[str, ...] | None = None) -> tuple[ComparedCarrier, ...]:
    """Return every site irrep (all orbits, l <= 3, both parities), those that hold all primaries first, in order.

    Parameters
    ----------
    analysis : Analysis
    irreps : tuple of str, optional
        Labels of the primary order parameters in place of the chosen ones.

    Examples
    --------
    >>> from orderparam import analyse, read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/perovskite/LaMnO3_221.cif"))
    >>> pair = analyse(parent, read_crystal("structures/perovskite/LaMnO3_62.cif"))
    >>> best = compare_carriers(pair)[0]
    >>> best.name, best.holds, round(best.share_held, 3)
    ('Mn:1e', ('R4+', 'M3+', 'X5+'), 0.949)
    """
    primaries = chosen_primaries(analysis, irreps)
    if primaries is None:
        return ()
    decomposition = analysis.decomposition
    carriers = find_carriers(decomposition, primaries)
    targets = _targets(decomposition)
    order = {c.name: place for place, c in enumerate(carriers)}
    floors: dict[tuple[str, ...], Floor] = {}
    found = []
    uniform = any(not m.sites for c in carriers for m in c.members)
    for site_irrep in [*site_irreps(decomposition.distortion.supercell.parent), *_uniform(decomposition, uniform)]:
        known = irreps_held(site_irrep, [o.irrep for o in targets])
        held = [o for o in targets if o.label in known]
        labels = tuple(o.label for o in held)
        if labels not in floors:
            floors[labels] = symmetry_floor(decomposition, _kept_by(held, decomposition))
        own = next((c for c in carriers if c.name == site_irrep.name), None)
        found.append(
            ComparedCarrier(
                site_irrep=site_irrep,
                holds=labels,
                holds_primaries=all(m.label in labels for m in primaries.members),
                share_held=float(sum(decomposition.breaking_share.get(label, 0.0) for label in labels)),
                tied=own is not None and own.tied,
                chosen=own is carriers[0],
                floor=floors[labels],
            )
        )
    found.sort(key=lambda c: (order.get(c.name, len(order)), -round(c.share_held, 9), c.name))
    return tuple(found)


def try_carrier(
    analysis: Analysis,
    compared: ComparedCarrier,
    seeds: Sequence[int],
    *,
    irreps: tuple[str, ...] | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> ComparedCarrier:
    """Fit the child from one carrier with several seeds.

    The inputs are the primary order parameters where it holds all of them and they are enough, else every irrep of the
    target that it holds. A carrier whose inputs keep more symmetry than the child has cannot reach it; it is not tried.
    """
    from orderparam.network.architecture import choose_architecture
    from orderparam.network.fit import fit
    from orderparam.network.problem import FitConfig

    if not compared.suffices or not compared.holds:
        return compared
    space = _inputs(analysis, compared, irreps)
    problem = fit_problem(analysis, blocks_of([space]))
    start = time.perf_counter()
    choice = choose_architecture(problem, FitConfig(seed=seeds[0]))
    results = [fit(problem, FitConfig(seed=seed), architecture=choice, on_step=on_step) for seed in seeds]
    trials = Trials(
        seeds=len(seeds),
        converged=sum(r.converged for r in results),
        residual_max=max(r.deviation.max for r in results),
        restarts=sum(r.restarts for r in results),
        unreachable=choice.chosen.unreachable,
        seconds=time.perf_counter() - start,
    )
    return replace(compared, trials=trials)


def _targets(decomposition: Decomposition) -> list[OrderParameter]:
    """Return the symmetry-breaking order parameters of the target; those of the strain that nothing else has last."""
    displacive = [o for o in decomposition.displacive if not o.is_zero and not o.irrep.is_identity]
    known = {o.label for o in displacive}
    return [
        *displacive,
        *(o for o in decomposition.strain if not o.is_zero and not o.irrep.is_identity and o.label not in known),
    ]


def _uniform(decomposition: Decomposition, wanted: bool) -> list[SiteIrrep]:
    """Return the fields of the whole crystal, where they are carriers at all."""
    return site_irreps(decomposition.distortion.supercell.parent, uniform=True) if wanted else []


def _kept_by(held: list[OrderParameter], decomposition: Decomposition) -> Subgroup:
    """Return the elements under which all fields of these irreps that the child's group allows are invariant."""
    group = whole_group(decomposition.distortion.supercell)
    for o in held:
        group = group & stabiliser(o.supercell, o.irrep, fixed_space(o.irrep, decomposition.distortion.group))
    return group


def _inputs(analysis: Analysis, compared: ComparedCarrier, irreps: tuple[str, ...] | None) -> InputSpace:
    """Return the fields that a carrier is tried with."""
    distortion = analysis.relation.distortion
    primaries = chosen_primaries(analysis, irreps)
    if compared.holds_primaries and primaries is not None:
        space = InputSpace.of_candidates(compared.site_irrep, primaries.members, distortion.supercell)
        if (joint_stabiliser([space], distortion.supercell).elements == distortion.group.elements).all():
            return space
    held = [o for o in _targets(analysis.decomposition) if o.label in compared.holds]
    directions: list[tuple] = [(o.irrep, np.array(fixed_space(o.irrep, distortion.group))) for o in held]
    return InputSpace.along(compared.site_irrep, directions, distortion.supercell)
