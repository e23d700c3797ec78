"""Fit a network and its inputs to a distortion."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from orderparam.errors import ConvergenceError, InvalidInputError

from .architecture import ArchitectureChoice, climb, ladder
from .layout import Layout, draw_weights
from .orbits import Orbits
from .problem import Architecture, FitConfig, FitProblem
from .reduced import single_thread
from .residuals import Residuals, build_network, input_basis
from .solver import Solution, solve
from .trained import TrainedNetwork

logger = logging.getLogger(__name__)

TYPICAL_TARGET = 0.5
"""Norm of a target (angstrom, per invariant coordinate) that weights of order one reach with inputs of order one."""


@dataclass(frozen=True)
class Deviation:
    """How far a result is from its target.

    Attributes
    ----------
    max : float
        Largest distance of an atom from its place, angstrom.
    rms : float
        Root of the mean squared distance, angstrom.
    mean_abs : float
        Mean absolute Cartesian component, angstrom.
    strain : float
        Frobenius norm of the strain's error.
    """

    max: float
    rms: float
    mean_abs: float
    strain: float

    @classmethod
    def between(cls, problem: FitProblem, displacements: np.ndarray, strain: np.ndarray) -> Deviation:
        """Compare a distortion with the target of a problem."""
        error = displacements - problem.displacements
        distances = np.linalg.norm(error, axis=1)
        strain_error = 0.0 if problem.lattice is None else float(np.linalg.norm(strain - problem.strain))
        return cls(
            float(distances.max()), float(np.sqrt((distances**2).mean())), float(np.abs(error).mean()), strain_error
        )


@dataclass(frozen=True)
class FitResult:
    """What was learned.

    Attributes
    ----------
    inputs : dict
        Learned field (n_sites, 2l+1) of every input block, by its name. Their common scale and sign belong to the
        weights as much as to them: only invariants (irreps, isotropy group, direction up to domain) have a meaning.
    displacements : (n_sites, 3) float64
        The network's answer on all sites, Cartesian, angstrom.
    strain : (3, 3) float64
        The network's answer.
    deviation : Deviation
        From the target.
    converged : bool
        Whether every atom is within `FitConfig.accepted` of its place (and the strain, times `strain_length`).
    iterations : int
        Levenberg-Marquardt steps, all starts together.
    restarts : int
        Further starts that were needed.
    choice : ArchitectureChoice
        The architectures tried, and the one used.
    network : TrainedNetwork
        Weights, ready to predict.
    config : FitConfig
        With the seed.
    history : tuple of float
        Norm of the residuals after every step, angstrom, all starts one after the other.
    trouble : str
        Why the best start broke off, where a number was not finite; this is then its last good state.
    """

    inputs: dict[str, np.ndarray]
    displacements: np.ndarray
    strain: np.ndarray
    deviation: Deviation
    converged: bool
    iterations: int
    restarts: int
    choice: ArchitectureChoice
    network: TrainedNetwork
    config: FitConfig
    history: tuple[float, ...] = ()
    trouble: str = ""

    def predict(self, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return displacements and strain for any input fields on these sites (see `TrainedNetwork.predict`)."""
        return self.network.predict(inputs)


def fit(
    problem: FitProblem,
    config: FitConfig,
    *,
    architecture: Architecture | ArchitectureChoice | None = None,
    start: FitResult | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> FitResult:
    """Learn inputs and weights that carry the parent into the child.

    Parameters
    ----------
    problem : FitProblem
        Target and inputs.
    config : FitConfig
        Seed, tolerance, limits.
    architecture : Architecture or ArchitectureChoice, optional
        The network's size, or what `choose_architecture` found for this problem. Default: that of `start`; without
        one `choose_architecture` is asked.
    start : FitResult, optional
        A fit on the same sites, of the same architecture, whose network is trained on, with its inputs as far as this
        problem has them; further starts are random.
    on_step : callable, optional
        Called with the number of the step within a start and the norm of the residuals, angstrom.

    Returns
    -------
    FitResult
        The best of all starts; look at `converged`. Displacements and strain come from the plain network on all
        sites, not from the reduced one that was trained.
    """
    if start is not None and architecture is None:
        architecture = start.choice.architecture
    choice, residuals = _prepare(problem, config, architecture)
    if start is not None and start.choice.architecture != choice.architecture:
        raise InvalidInputError(
            f"fit: expected a start with {choice.architecture}, received {start.choice.architecture}"
        )
    history: list[float] = []

    def follow(step: int, norm: float) -> None:
        history.append(norm)
        if on_step is not None:
            on_step(step, norm)

    best, embedding, iterations, restart = _best_of_starts(problem, residuals, config, choice, start, on_step=follow)
    network = TrainedNetwork(
        choice.architecture,
        problem.lattice,
        problem.positions,
        problem.species,
        problem.kinds,
        residuals.network.radial,
        best.unknowns[: residuals.network.n_weights],
        embedding,
    )
    inputs, begin = {}, residuals.network.n_weights
    for block in problem.inputs:
        inputs[block.name] = np.einsum("k,kni->ni", best.unknowns[begin : begin + block.n_free], block.basis)
        begin += block.n_free
    displacements, strain = network.predict(inputs)
    deviation = Deviation.between(problem, displacements, strain)
    converged = max(deviation.max, deviation.strain * config.strain_length) <= config.accepted
    logger.info("fit: off by at most %.1e angstrom after %d steps", deviation.max, iterations)
    return FitResult(
        inputs,
        displacements,
        strain,
        deviation,
        converged,
        iterations,
        restart,
        choice,
        network,
        config,
        tuple(history),
        best.trouble,
    )


def _best_of_starts(
    problem: FitProblem,
    residuals: Residuals,
    config: FitConfig,
    choice: ArchitectureChoice,
    start: FitResult | None,
    *,
    on_step: Callable[[int, float], None] | None,
) -> tuple[Solution, np.ndarray, int, int]:
    """Start until a fit converges; a target out of reach is not worth a second start."""
    best: tuple[Solution, np.ndarray] | None = None
    iterations, restart = 0, 0
    with single_thread():
        for restart in range(config.max_restarts + 1 if choice.reachable else 1):
            if start is not None and restart == 0:
                unknowns, embedding = _trained_so_far(problem, start)
            else:
                unknowns, embedding = _random_start(problem, residuals, choice.architecture, (config.seed, restart))
            residuals.use_embedding(embedding)
            found = solve(
                residuals.evaluate,
                unknowns,
                tolerance=config.tolerance,
                max_iterations=config.max_iterations,
                on_step=on_step,
            )
            iterations += found.iterations
            finite = bool(np.isfinite(found.residuals).all())
            if finite and (best is None or np.linalg.norm(found.residuals) < np.linalg.norm(best[0].residuals)):
                best = found, embedding
            if found.converged:
                break
    if config.max_restarts < 0:
        raise InvalidInputError(f"fit: max_restarts must not be negative, received {config.max_restarts}")
    if best is None:
        raise ConvergenceError("fit: every start gives numbers that are not finite; try another --seed")
    return *best, iterations, restart


def _prepare(
    problem: FitProblem, config: FitConfig, architecture: Architecture | ArchitectureChoice | None
) -> tuple[ArchitectureChoice, Residuals]:
    """Return the architecture with its rank test, and the residuals to be fitted."""
    if isinstance(architecture, ArchitectureChoice):
        network = build_network(problem, architecture.architecture, Orbits.of(problem.group))
        return architecture, Residuals(problem, network, config)
    steps = ladder(problem.max_input_degree, config.channels) if architecture is None else (architecture,)
    return climb(problem, config, steps)


def _random_start(
    problem: FitProblem, residuals: Residuals, architecture: Architecture, seed: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Draw weights, set the inputs to zero, and return both as one vector; and species vectors."""
    weights, embedding = draw_weights(residuals.network.shapes, len(problem.kinds), architecture.channels, seed)
    # a small target is met by small outputs, not by small inputs, whose powers would be out of proportion
    n_readout = int(np.prod(residuals.network.shapes["readout"]))
    weights[-n_readout:] *= min(1.0, float(np.linalg.norm(residuals.target)) / TYPICAL_TARGET)
    return np.concatenate([weights, np.zeros(residuals.n_unknowns - len(weights))]), embedding


def _trained_so_far(problem: FitProblem, earlier: FitResult) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of an earlier fit with its inputs, as far as a problem has them; and its species vectors."""
    network = earlier.network
    basis = input_basis(problem, Layout.all_up_to(network.architecture.lmax))
    field = network.fields(earlier.inputs)
    coefficients = np.linalg.lstsq(basis.reshape(len(basis), field.size).T, field.ravel())[0]
    return np.concatenate([network.weights, coefficients]), network.embedding
