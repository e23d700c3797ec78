"""Fit one network to a family, predict from order parameters alone, and leave children out to see what was learned."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import InvalidInputError, SymmetryError
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.covariants import PowerLaw
from orderparam.symmetry.modes import expand
from orderparam.symmetry.orderparameter import OrderParameter, strain_tensor

from .family import Family, Member, Prediction
from .prediction import Predictor

if TYPE_CHECKING:
    from orderparam.network.joint import JointResult
    from orderparam.network.problem import Architecture, FitConfig

TOLERANCE, ACCEPTED = 1.5e-4, 1e-4
"""Angstrom: aim for the norm of all residuals together, and what every atom (and strain) has to keep."""

FAMILY_SYMPREC = 1e-3
"""Tolerance at which the predicted structures are reported."""

OnStep = Callable[[str, int, float], None]


@dataclass(frozen=True)
class MemberResult:
    """How well one child is met.

    Attributes
    ----------
    name : str
    residual_max, residual_rms : float
        Angstrom.
    strain_residual : float
        Frobenius norm.
    space_group : (int, str) or None
        Of the predicted structure by spglib at `FAMILY_SYMPREC`.
    group_is_kept : bool
        Whether that is the child's own.
    """

    name: str
    residual_max: float
    residual_rms: float
    strain_residual: float
    space_group: tuple[int, str] | None
    group_is_kept: bool


@dataclass(frozen=True)
class LeftOut:
    """A child predicted from its order parameters by what the others taught.

    Every pair is the largest distance of an atom (angstrom) and the norm of the strain's error: of the network, of the
    linear modes (the primary order parameters alone, exact), and of the power law (`symmetry.covariants`).
    """

    name: str
    network: tuple[float, float]
    linear_modes: tuple[float, float]
    power_law: tuple[float, float]
    trained_max: float


@dataclass(frozen=True, eq=False)
class FamilyResult:
    """What one network learned from many children.

    Attributes
    ----------
    family : Family
        The children that it was trained on.
    fit : JointResult
    children : tuple of MemberResult
    leave_one_out : tuple of LeftOut
        Empty unless asked for.
    seconds : dict
    """

    family: Family
    fit: JointResult
    children: tuple[MemberResult, ...]
    leave_one_out: tuple[LeftOut, ...]
    seconds: dict[str, float]

    @property
    def predictor(self) -> Predictor:
        """The network as a function of the order parameters."""
        return Predictor(self.family, self.fit.network)

    def predict(self, order_parameters: Mapping[str, Sequence[float] | np.ndarray]) -> Prediction:
        """Return the structure that follows from order parameters; `Prediction.warnings` says what was never trained.

        Parameters
        ----------
        order_parameters : mapping
            Components (dimension,), Ap, angstrom, by label; those not named are zero.

        Raises
        ------
        InvalidInputError
            When a label is no input of the family or the number of components does not fit.
        """
        found = self.predictor.predict(order_parameters)
        notes = self.predictor.warnings(order_parameters)
        return Prediction(found.supercell, found.displacements, found.strain, notes)

    def predict_member(self, member: Member) -> Prediction:
        """Return the prediction for a child's order parameters, on its own sites."""
        for own, found in zip(self.family.members, self.fit.predictions, strict=True):
            if own is member:
                return Prediction(member.distortion.supercell, *found)
        return Prediction(member.distortion.supercell, *self.fit.predict(self.family.problem(member)))


def fit_family(
    family: Family,
    *,
    seed: int,
    ridge: float = 0.0,
    architecture: Architecture | None = None,
    leave_one_out: bool = False,
    on_step: OnStep | None = None,
) -> FamilyResult:
    """Learn one function from order parameters to structures.

    Parameters
    ----------
    family : Family
    seed : int
        Of the weights.
    ridge : float
        0 meets all children exactly. Otherwise |r|^2 + ridge |w|^2 (angstrom^2) is made least by a network of fourth
        degree: for children that are no exact function of their order parameters, such as different compounds.
    architecture : Architecture, optional
        Size of the network; default by `network.joint.fit_jointly`, with a ridge two layers.
    leave_one_out : bool
        Whether to fit again without each child, and predict it.
    on_step : callable, optional
        Called with the stage, the step and the norm of the residuals.

    Returns
    -------
    FamilyResult
    """
    from orderparam.network.joint import fit_jointly

    start = time.perf_counter()
    config = family_config(seed)
    if ridge:
        family, architecture = _smooth(family), architecture or _low_degree(family)
    problems = [family.problem(member) for member in family.members]
    fit = fit_jointly(problems, config, architecture=architecture, ridge=ridge, on_step=_staged(on_step, "fit"))
    seconds = {"fit": time.perf_counter() - start}
    result = FamilyResult(family, fit, (), (), seconds)
    result = replace(result, children=tuple(_member_result(result, m) for m in family.members))
    if leave_one_out:
        begin = time.perf_counter()
        found = tuple(
            left
            for name in family.names
            for left in leave_out(
                family, [name], seed=seed, ridge=ridge, architecture=fit.network.architecture, on_step=on_step
            )
        )
        seconds["leave_one_out"] = time.perf_counter() - begin
        result = replace(result, leave_one_out=found)
    return result


def leave_out(
    family: Family,
    names: Sequence[str],
    *,
    seed: int,
    ridge: float = 0.0,
    architecture: Architecture | None = None,
    on_step: OnStep | None = None,
) -> tuple[LeftOut, ...]:
    """Train without some children and predict each of them from its order parameters alone.

    Raises
    ------
    InvalidInputError
        When a name is unknown or nothing is left to train on.
    """
    from orderparam.network.joint import fit_jointly

    if ridge:
        family, architecture = _smooth(family), architecture or _low_degree(family)
    rest = family.without(names)
    if not rest.members:
        raise InvalidInputError("leave-one-out: at least two children are needed")
    problems = [rest.problem(member) for member in rest.members]
    stage = f"without {', '.join(names)}"
    fit = fit_jointly(
        problems, family_config(seed), architecture=architecture, ridge=ridge, on_step=_staged(on_step, stage)
    )
    result = FamilyResult(rest, fit, (), (), {})
    trained = max(d.max for d in fit.deviations)
    return tuple(_left_out(result, family[name], trained) for name in names)


def family_config(seed: int) -> FitConfig:
    """Return how a family is fitted."""
    from orderparam.network.problem import FitConfig

    return FitConfig(seed=seed, tolerance=TOLERANCE, accepted=ACCEPTED, max_restarts=2)


def _smooth(family: Family) -> Family:
    """Return the family with inputs of at most one: a ridge then keeps high powers small."""
    fields = [f for m in family.members for f in family.fields(m.distortion.supercell, m.components).values()]
    return replace(family, unit=family.unit * max(float(np.linalg.norm(f, axis=1).max()) for f in fields))


def _low_degree(family: Family) -> Architecture:
    from orderparam.network.problem import Architecture

    return Architecture(lmax=max(1, *(s.irrep.l for s in family.carrier.members)), layers=2)


def _staged(on_step: OnStep | None, stage: str) -> Callable[[int, float], None] | None:
    return None if on_step is None else lambda step, norm: on_step(stage, step, norm)


def _member_result(result: FamilyResult, member: Member) -> MemberResult:
    deviation = result.fit.deviations[result.family.names.index(member.name)]
    try:
        report = report_symmetry(result.predict_member(member).crystal(), FAMILY_SYMPREC)
        group = (report.number, report.symbol)
    except SymmetryError:
        group = None
    kept = group is not None and group[0] == member.distortion.group.space_group[0]
    return MemberResult(member.name, deviation.max, deviation.rms, deviation.strain, group, kept)


def _left_out(result: FamilyResult, member: Member, trained_max: float) -> LeftOut:
    distortion = member.distortion
    return LeftOut(
        member.name,
        result.predict_member(member).errors(distortion),
        linear_modes(result.family, member).errors(distortion),
        follow_power_law(result.family, member).errors(distortion),
        trained_max,
    )


# --- what needs no network ----------------------------------------------------------------------------------------


def linear_modes(family: Family, member: Member) -> Prediction:
    """Return a child's primary order parameters alone: all that is linear in them."""
    supercell = member.distortion.supercell
    displacements, strain = np.zeros((supercell.n_atoms, 3)), np.zeros((3, 3))
    for given in family.inputs:
        found = given.order_parameter(member.decomposition)
        if found is not None and given.is_strain:
            strain = strain + strain_tensor(found)
        elif found is not None:
            displacements = displacements + found.field()
    return Prediction(supercell, displacements, strain)


def follow_power_law(family: Family, member: Member) -> Prediction:
    """Return a child's primaries and, for every other irrep, its covariant of lowest degree fitted to the family."""
    start = linear_modes(family, member)
    displacements, strain = start.displacements, start.strain
    vectors = {m.name: [m.components[i.label] for i in family.inputs] for m in (*family.members, member)}
    taken = {(given.irrep.label, given.is_strain) for given in family.inputs}
    for is_strain, pool in ((False, member.decomposition.displacive), (True, member.decomposition.strain)):
        for follower in pool:
            if (follower.label, is_strain) in taken:
                continue
            law = PowerLaw.between(family.parent, [i.irrep for i in family.inputs], follower.irrep)
            values = [_components_of(m, follower, is_strain) for m in family.members]
            known = [vectors[m.name] for m in family.members]
            components = law.predict(known, values, vectors[member.name])
            if is_strain:
                strain = strain + strain_tensor(replace(follower, components=components))
            else:
                displacements = displacements + expand(follower.basis, follower.supercell, components)
    return Prediction(start.supercell, displacements, strain)


def _components_of(member: Member, follower: OrderParameter, is_strain: bool) -> np.ndarray:
    pool = member.decomposition.strain if is_strain else member.decomposition.displacive
    found = next((o.components for o in pool if o.label == follower.label), None)
    return np.zeros_like(follower.components) if found is None else found
