"""Which size of network can reach a target: a rank test before any training, and a ladder to climb.

A network of fixed size gives only some of the symmetry-allowed directions: it can see too little (layers times
cutoff), resolve too few angles (lmax) or have too low a degree in its inputs. At random weights and inputs the left
null space of the Jacobian by the weights holds exactly the combinations of residuals that no weights can move.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from orderparam.o3 import irreps_to_symmetric

from .layout import draw_weights
from .orbits import Orbits, invariant_displacements
from .problem import Architecture, FitConfig, FitProblem
from .reduced import single_thread
from .residuals import Residuals, build_network, invariant_strains

logger = logging.getLogger(__name__)

NULL_ROW = 1e-10  # of the largest row of the Jacobian
SMALLEST = 1e-12  # angstrom per unit weight: without inputs nothing but rounding is left
NULL_VALUE = 1e-9  # of the largest singular value of the Jacobian with rows of norm one


@dataclass(frozen=True)
class Rung:
    """What one architecture can reach.

    Attributes
    ----------
    architecture : Architecture
        The one tested.
    n_residuals, rank : int
        Symmetry-allowed numbers of the target, and how many of them the weights can move.
    unreachable : float
        Norm of the target's part that they cannot move, angstrom.
    conditioning : float
        Least over largest singular value that is not zero; below 1e-4 restarts are to be expected.
    unreachable_displacements : (n_sites, 3) float64
        That part as a field, angstrom.
    unreachable_strain : (3, 3) float64
        And as a strain.
    """

    architecture: Architecture
    n_residuals: int
    rank: int
    unreachable: float
    conditioning: float
    unreachable_displacements: np.ndarray
    unreachable_strain: np.ndarray

    @property
    def deficiency(self) -> int:
        """Number of symmetry-allowed directions out of reach."""
        return self.n_residuals - self.rank


@dataclass(frozen=True)
class ArchitectureChoice:
    """The outcome of the ladder: the last rung is the one chosen.

    Attributes
    ----------
    rungs : tuple of Rung
        Every architecture tried, in order.
    reachable : bool
        Whether the chosen one can reach the target. If not, it is the one that misses least.
    """

    rungs: tuple[Rung, ...]
    reachable: bool

    @property
    def chosen(self) -> Rung:
        """The rung that misses least; the first of equals."""
        return min(self.rungs, key=lambda rung: rung.unreachable) if not self.reachable else self.rungs[-1]

    @property
    def architecture(self) -> Architecture:
        """The architecture to fit with."""
        return self.chosen.architecture


def ladder(max_input_degree: int, channels: int) -> tuple[Architecture, ...]:
    """List the architectures to try, cheapest first."""
    lmax = min(max(1, max_input_degree), 4)
    first = Architecture(lmax=lmax, channels=channels)
    finer = min(lmax + 1, 4)
    return (
        first,
        replace(first, lmax=finer),
        replace(first, layers=3),
        replace(first, cutoff_factor=1.3 * 1.4),
        replace(first, lmax=finer, layers=3),
        replace(first, layers=4),
        replace(first, lmax=finer, layers=3, squares=2),
    )


def choose_architecture(problem: FitProblem, config: FitConfig) -> ArchitectureChoice:
    """Return the first rung of the ladder whose rank test says that the target can be reached.

    Parameters
    ----------
    problem : FitProblem
        With its inputs.
    config : FitConfig
        Seed, tolerance and channels.
    """
    return climb(problem, config, ladder(problem.max_input_degree, config.channels))[0]


def climb(
    problem: FitProblem, config: FitConfig, architectures: Sequence[Architecture]
) -> tuple[ArchitectureChoice, Residuals]:
    """Test architectures in turn until one reaches the target; return its residuals too, ready to be fitted."""
    tried: list[tuple[Rung, Residuals]] = []
    for architecture in architectures:
        residuals = Residuals(problem, build_network(problem, architecture, Orbits.of(problem.group)), config)
        rung = assess(problem, architecture, residuals, config)
        tried.append((rung, residuals))
        logger.info("%s: rank %d of %d, %.2e out of reach", architecture, rung.rank, rung.n_residuals, rung.unreachable)
        if rung.unreachable <= config.tolerance:
            break
    choice = ArchitectureChoice(tuple(rung for rung, _ in tried), tried[-1][0].unreachable <= config.tolerance)
    return choice, next(residuals for rung, residuals in tried if rung is choice.chosen)


def assess(problem: FitProblem, architecture: Architecture, residuals: Residuals, config: FitConfig) -> Rung:
    """Carry out the rank test of one architecture."""
    network = residuals.network
    weights, embedding = draw_weights(network.shapes, len(problem.kinds), architecture.channels, (config.seed, 0, 1))
    residuals.use_embedding(embedding)
    size = 0.5 * np.sqrt(problem.n_sites / max(1, len(residuals.inputs)))
    inputs = size * np.random.default_rng((config.seed, 2)).normal(size=len(residuals.inputs))
    with single_thread():
        jacobian = residuals.evaluate(np.concatenate([weights, inputs])).jacobian_by_weights()
    null, conditioning = left_null_space(jacobian)
    missed = null @ (null.T @ residuals.target)
    displacements, strain = field_of(problem, missed, config.strain_length)
    return Rung(
        architecture,
        len(jacobian),
        len(jacobian) - null.shape[1],
        float(np.linalg.norm(missed)),
        conditioning,
        displacements,
        strain,
    )


def field_of(problem: FitProblem, values: np.ndarray, strain_length: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn numbers like the residuals (n_residuals,) back into displacements (n_sites, 3) and a strain (3, 3)."""
    basis, strains = invariant_displacements(problem.group), invariant_strains(problem)
    displacements = np.einsum("r,rni->ni", values[: len(basis)], basis)
    return displacements, irreps_to_symmetric(values[len(basis) :] @ strains / strain_length)


def left_null_space(jacobian: np.ndarray, smallest: float = NULL_VALUE) -> tuple[np.ndarray, float]:
    """Return an orthonormal basis (n_rows, n_null) of the rows' relations, and the conditioning of the rest.

    Rows are normalised first, since modes of high degree in the inputs are small; rows that are zero are not. Singular
    values up to `smallest` of the largest count as zero.
    """
    norms = np.linalg.norm(jacobian, axis=1)
    live = norms > max(NULL_ROW * norms.max(initial=0), SMALLEST)
    triangle = np.asarray(np.linalg.qr((jacobian[live] / norms[live, None]).T, mode="r"))
    left, values, _ = np.linalg.svd(triangle.T) if live.any() else (np.zeros((0, 0)), np.zeros(0), None)
    found = np.zeros((len(jacobian), (~live).sum()))
    found[~live] = np.eye((~live).sum())
    zero = values <= smallest * values.max(initial=0)
    zero = np.append(zero, np.ones(left.shape[1] - len(zero), dtype=bool))
    relations = np.zeros((len(jacobian), zero.sum()))
    relations[live] = left[:, zero] / norms[live, None]
    basis = np.linalg.qr(np.concatenate([found, relations], axis=1))[0]
    kept = values[~zero[: len(values)]]
    return basis, float(kept.min() / kept.max()) if len(kept) else 0.0
