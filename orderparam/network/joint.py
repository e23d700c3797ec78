"""One network for several children of one parent: inputs that are set, residuals in one vector.

Every child is evaluated on one site per orbit of its own group; weights, species vectors and radial functions are
common. The inputs are given, not learned, so that there is one gauge: the weights are the only unknowns.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from orderparam.errors import ConvergenceError, InvalidInputError

from .architecture import left_null_space
from .fit import TYPICAL_TARGET, Deviation
from .layout import draw_weights
from .orbits import Orbits
from .problem import Architecture, FitConfig, FitProblem
from .reduced import single_thread
from .residuals import STATIC_RANK, Point, Residuals, build_network
from .solver import Solution, solve
from .trained import TrainedNetwork

logger = logging.getLogger(__name__)

WELL_CONDITIONED = 1e-5
"""Directions that the weights move less than this part of the best ones are out of reach in practice."""


class JointResiduals:
    """The residuals of all children, each divided by the root of its number of parent cells.

    Parameters
    ----------
    problems : sequence of FitProblem
        Cells of one parent. The sum of the basis fields of every input block is the input.
    architecture : Architecture
    config : FitConfig
    """

    def __init__(self, problems: Sequence[FitProblem], architecture: Architecture, config: FitConfig) -> None:
        parts, radial = [], None
        for problem in problems:
            network = build_network(problem, architecture, Orbits.of(problem.group), radial)
            radial = network.radial
            parts.append(Residuals(problem, network, config))
        sites = np.array([problem.n_sites for problem in problems], float)
        self.parts, self.weights = tuple(parts), np.sqrt(sites.min() / sites)
        self.network, self.n_kinds = parts[0].network, len(problems[0].kinds)
        self.target = self.join([part.target for part in parts])
        self._ties: tuple[np.ndarray, ...] | None = None

    def join(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """Stack residuals (or rows of Jacobians) of the children, weighted."""
        return np.concatenate([weight * part for weight, part in zip(self.weights, values, strict=True)])

    def worst(self, residuals: np.ndarray) -> float:
        """Return the largest norm of one child's residuals, unweighted: no atom of it is further off."""
        parts = np.split(residuals, np.cumsum([len(part.target) for part in self.parts])[:-1])
        return max(float(np.linalg.norm(part)) / weight for part, weight in zip(parts, self.weights, strict=True))

    def use_embedding(self, embedding: np.ndarray) -> None:
        """Set the species vectors (n_kinds, channels) of a new start."""
        for part in self.parts:
            part.use_embedding(embedding)

    def ties(self) -> tuple[np.ndarray, ...]:
        """Return the matrices C with B^T f(0) = C (B^T f(0) of the first child), one per child.

        Without inputs the network can only change the parent's own free parameters, which every child sees: f(0) need
        be evaluated once. The matrices do not depend on the weights; random ones find them.
        """
        if self._ties is None:
            rng, first = np.random.default_rng(1), self.parts[0]
            drawn = torch.from_numpy(rng.normal(size=(2 + 2 * first.static_rows().shape[1], self.network.n_weights)))
            samples = [np.array([part.still(flat)[0] for flat in drawn]) for part in self.parts]
            inverse = np.linalg.pinv(samples[0], rcond=STATIC_RANK)
            self._ties = tuple((inverse @ sample).T for sample in samples)
        return self._ties

    def evaluate(self, weights: np.ndarray) -> JointPoint:
        """Return the residuals for weights (n_weights,), ready to be differentiated."""
        unknowns = [np.append(weights, np.ones(len(part.inputs))) for part in self.parts]
        points = [part.evaluate(x, subtract_still=False) for part, x in zip(self.parts, unknowns, strict=True)]
        still, tape = self.parts[0].still(points[0].flat)
        moved = [point.residuals - tie @ still for point, tie in zip(points, self.ties(), strict=True)]
        return JointPoint(self.join(moved), self, tuple(points), tape)


@dataclass(frozen=True)
class JointPoint:
    """A point of the joint fit: residuals of all children (n_residuals,), and the tapes of f(h) and f(0)."""

    residuals: np.ndarray
    problem: JointResiduals
    points: tuple[Point, ...]
    still_tape: list

    def jacobian(self) -> np.ndarray:
        """Return d residuals / d weights."""
        rows = [point.jacobian_by_weights() for point in self.points]
        first = self.problem.parts[0]
        flat = self.points[0].flat
        still = first.still_jacobian(flat, self.still_tape, first.network.kernels(flat, first.embedding))
        if still is not None:
            by_weight = still.numpy()
            rows = [own - tie @ by_weight for own, tie in zip(rows, self.problem.ties(), strict=True)]
        return self.problem.join(rows)


@dataclass(frozen=True)
class JointRung:
    """What one architecture can reach: norm (angstrom) of the targets' part that its weights can hardly move."""

    architecture: Architecture
    n_residuals: int
    rank: int
    unreachable: float


@dataclass(frozen=True)
class JointResult:
    """What was learned from several children.

    Attributes
    ----------
    network : TrainedNetwork
        On the sites of the first child; `TrainedNetwork.on` moves it to those of others.
    predictions : tuple of (displacements, strain)
        What the plain network gives on all sites of every child.
    deviations : tuple of Deviation
        Of these from the targets.
    converged : bool
        Whether every atom of every child is met to `FitConfig.accepted`, and every strain (Frobenius norm), too.
    iterations, restarts : int
    rungs : tuple of JointRung
        Architectures tried; the last one was used.
    ridge : float
        Weight of the squared norm of the weights.
    config : FitConfig
    trouble : str
        Why the best start broke off, where a number was not finite; this is then its last good state.
    """

    network: TrainedNetwork
    predictions: tuple[tuple[np.ndarray, np.ndarray], ...]
    deviations: tuple[Deviation, ...]
    converged: bool
    iterations: int
    restarts: int
    rungs: tuple[JointRung, ...]
    ridge: float
    config: FitConfig
    trouble: str = ""

    def predict(self, problem: FitProblem) -> tuple[np.ndarray, np.ndarray]:
        """Return displacements (n_sites, 3) and strain (3, 3) for the inputs and on the sites of a problem."""
        return predict_set_inputs(self.network, problem)


def predict_set_inputs(network: TrainedNetwork, problem: FitProblem) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate a network for set inputs: the sum of the basis fields of every block."""
    moved = network.on(problem.lattice, problem.positions, problem.species)
    return moved.predict({block.name: block.basis.sum(axis=0) for block in problem.inputs})


def fit_jointly(
    problems: Sequence[FitProblem],
    config: FitConfig,
    *,
    architecture: Architecture | None = None,
    ridge: float = 0.0,
    on_step: Callable[[int, float], None] | None = None,
) -> JointResult:
    """Learn one set of weights that carries the parent into several children.

    Parameters
    ----------
    problems : sequence of FitProblem
        One per child, all cells of one parent, inputs set (the sum of the basis fields of every block).
    config : FitConfig
        `tolerance` is the aim for the norm of all residuals, `accepted` that for every atom and strain.
    architecture : Architecture, optional
        Default: the first of the ladder whose weights can move what the targets need (`reach`).
    ridge : float
        Minimise |r|^2 + ridge |w|^2 (angstrom^2) instead: smooth rather than exact.
    on_step : callable, optional
        Called with the number of the step and the norm of the residuals.

    Raises
    ------
    InvalidInputError
        When there is nothing to fit, or the children have other species than the first.
    ConvergenceError
        When a number that is not finite turns up.
    """
    if not problems:
        raise InvalidInputError("fit: expected at least one child")
    if any(problem.kinds != problems[0].kinds for problem in problems):
        raise InvalidInputError("fit: all children must have the species of the first")
    rungs, residuals = _climb(problems, config, architecture)
    chosen = rungs[-1].architecture
    best: tuple[Solution, np.ndarray] | None = None
    iterations, restart = 0, 0
    with single_thread():
        for restart in range(1 if ridge else config.max_restarts + 1):
            start, embedding = _start(residuals, chosen, (config.seed, restart))
            found = solve(
                residuals.evaluate,
                start,
                tolerance=config.tolerance,
                max_iterations=config.max_iterations,
                ridge=ridge,
                on_step=on_step,
            )
            iterations += found.iterations
            finite = bool(np.isfinite(found.residuals).all() and np.isfinite(found.unknowns).all())
            if finite and (best is None or np.linalg.norm(found.residuals) < np.linalg.norm(best[0].residuals)):
                best = found, embedding
            if found.converged or residuals.worst(found.residuals) <= config.accepted:
                break
    if best is None:
        raise ConvergenceError("fit: every start gives numbers that are not finite; try another --seed")
    first = problems[0]
    network = TrainedNetwork(
        chosen,
        first.lattice,
        first.positions,
        first.species,
        first.kinds,
        residuals.network.radial,
        best[0].unknowns,
        best[1],
    )
    predictions = tuple(predict_set_inputs(network, problem) for problem in problems)
    deviations = tuple(Deviation.between(p, *found) for p, found in zip(problems, predictions, strict=True))
    converged = all(max(d.max, d.strain) <= config.accepted for d in deviations)
    logger.info("joint fit: off by at most %.1e angstrom", max(d.max for d in deviations))
    return JointResult(
        network, predictions, deviations, converged, iterations, restart, rungs, ridge, config, best[0].trouble
    )


def joint_ladder(max_input_degree: int, channels: int) -> tuple[Architecture, ...]:
    """List the architectures to try for several children, cheapest first.

    Three layers of lmax 2 from the start: degree 8 in the inputs. Two layers meet tilts of 8 degrees, too, but leave
    4e-4 in the strain of a child that was not trained on: its parts of sixth degree.
    """
    first = Architecture(lmax=min(max(2, max_input_degree), 4), layers=3, channels=channels)
    return (first, replace(first, layers=4), replace(first, lmax=min(first.lmax + 1, 4)))


def reach(residuals: JointResiduals, architecture: Architecture, config: FitConfig) -> JointRung:
    """Carry out the rank test for set inputs: the part of the targets that random weights can hardly move.

    A network of low degree ties the children to each other, since it has fewer weights that matter than they have
    numbers; nearly dependent rows count as dependent (`WELL_CONDITIONED`), because no solver can use them.
    """
    weights, embedding = _start(residuals, architecture, (config.seed, 0, 1))
    residuals.use_embedding(embedding)
    with single_thread():
        jacobian = residuals.evaluate(weights).jacobian()
    null, _ = left_null_space(jacobian, WELL_CONDITIONED)
    missed = float(np.linalg.norm(null.T @ residuals.target))
    return JointRung(architecture, len(jacobian), len(jacobian) - null.shape[1], missed)


def _climb(
    problems: Sequence[FitProblem], config: FitConfig, architecture: Architecture | None
) -> tuple[tuple[JointRung, ...], JointResiduals]:
    if architecture is not None:
        residuals = JointResiduals(problems, architecture, config)
        return (reach(residuals, architecture, config),), residuals
    tried: list[tuple[JointRung, JointResiduals]] = []
    for candidate in joint_ladder(max(problem.max_input_degree for problem in problems), config.channels):
        residuals = JointResiduals(problems, candidate, config)
        tried.append((reach(residuals, candidate, config), residuals))
        logger.info("%s: %.1e out of reach", candidate, tried[-1][0].unreachable)
        if tried[-1][0].unreachable <= config.accepted:
            break
    else:
        tried.append(min(tried, key=lambda one: one[0].unreachable))
    return tuple(rung for rung, _ in tried), tried[-1][1]


def _start(
    residuals: JointResiduals, architecture: Architecture, seed: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Draw weights whose output has the size of the targets."""
    weights, embedding = draw_weights(residuals.network.shapes, residuals.n_kinds, architecture.channels, seed)
    residuals.use_embedding(embedding)
    n_readout = int(np.prod(residuals.network.shapes["readout"]))
    size = float(np.linalg.norm(residuals.target)) / np.sqrt(len(residuals.parts))
    weights[-n_readout:] *= min(1.0, size / TYPICAL_TARGET)
    return weights, embedding
