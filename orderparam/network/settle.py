"""From any weights that meet a target to the smallest ones: what makes a prediction from one child well defined.

Many weights carry the parent into one child, and they differ in between. Among all solutions of r(w) = 0 the iteration

    w <- w - rate P_null(J) w - J^+ r,    P_null(J) = 1 - J^T (J J^T)^-1 J

walks to one of least norm: its function of the inputs is as low in degree as the target allows. A penalty |w|^2 would
collapse to w = 0 instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from orderparam.errors import ConvergenceError

from .joint import JointResiduals
from .problem import FitConfig, FitProblem
from .reduced import single_thread
from .solver import solve
from .trained import TrainedNetwork

STEPS, RATE = 60, 0.2
_PINV = 1e-12
"""Eigenvalues of J J^T below this part of the largest are zero."""


def settle(
    network: TrainedNetwork,
    problems: Sequence[FitProblem],
    config: FitConfig,
    *,
    steps: int = STEPS,
    on_step: Callable[[int, float], None] | None = None,
) -> TrainedNetwork:
    """Return the network with the smallest weights near its own that meet targets for inputs that are set.

    Parameters
    ----------
    network : TrainedNetwork
        Where to start; its architecture and species vectors are kept.
    problems : sequence of FitProblem
        Targets; the sum of the basis fields of every block is the input.
    config : FitConfig
        `tolerance` on the norm of the residuals, `accepted` on every atom.
    steps : int
        Of the iteration above.
    on_step : callable, optional
        Called with the number of the step and the norm of the residuals.

    Raises
    ------
    ConvergenceError
        When the targets cannot be met with these inputs.
    """
    residuals = JointResiduals(problems, network.architecture, config)
    residuals.use_embedding(network.embedding)
    with single_thread():
        weights = _solved(residuals, network.weights, config)
        for step in range(steps):
            point = residuals.evaluate(weights)
            jacobian = point.jacobian()
            inverse = np.linalg.pinv(jacobian @ jacobian.T, rcond=_PINV, hermitian=True)
            move = RATE * (jacobian @ weights) - point.residuals
            weights = weights - RATE * weights + jacobian.T @ (inverse @ move)
            if on_step is not None:
                on_step(step, float(np.linalg.norm(point.residuals)))
        weights = _solved(residuals, weights, config)
    return TrainedNetwork(
        network.architecture,
        network.lattice,
        network.positions,
        network.species,
        network.kinds,
        residuals.network.radial,
        weights,
        network.embedding,
    )


def _solved(residuals: JointResiduals, weights: np.ndarray, config: FitConfig) -> np.ndarray:
    """Return weights that meet the targets."""
    found = solve(residuals.evaluate, weights, tolerance=config.tolerance, max_iterations=config.max_iterations)
    if not residuals.worst(found.residuals) <= config.accepted:
        raise ConvergenceError(
            "prediction: the child does not follow from its order parameters by this network (it misses "
            f"{residuals.worst(found.residuals):.1e} angstrom); fit with another --seed"
        )
    return found.unknowns
