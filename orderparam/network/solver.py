"""Levenberg-Marquardt in the dual, for many more unknowns than residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

DAMPING_START = 1e-3
DAMPING_FACTOR = 8.0
DAMPING_MAX = 1e10
ROUNDING = 1e-14  # a smaller gain is none: a saddle, where no slope leads on, is not left by rounding errors
KEPT_REST = 0.1  # a step that leaves no more than this of the residuals shows that the Jacobian is worth keeping
POLISHED = 1e-3  # of the tolerance: so far a Jacobian that is at hand may lead
STALLED_STEPS = 8  # accepted steps in a row that gain next to nothing
STALLED_GAIN = 1e-3


class Linearisation(Protocol):
    """A point at which residuals are known and a Jacobian can be had."""

    @property
    def residuals(self) -> np.ndarray:
        """Return the residuals (n_residuals,)."""
        ...

    def jacobian(self) -> np.ndarray:
        """Return d residuals / d unknowns, (n_residuals, n_unknowns)."""
        ...


@dataclass(frozen=True)
class Solution:
    """Where the iteration ended.

    Attributes
    ----------
    unknowns : (n_unknowns,) float64
        The solution.
    residuals : (n_residuals,) float64
        Residuals there.
    iterations : int
        Steps tried.
    converged : bool
        Whether the norm of the residuals reached the tolerance.
    trouble : str
        Why the iteration broke off, where a number was not finite; the point is then the last good one.
    """

    unknowns: np.ndarray
    residuals: np.ndarray
    iterations: int
    converged: bool
    trouble: str = ""


def solve(
    evaluate: Callable[[np.ndarray], Linearisation],
    start: np.ndarray,
    *,
    tolerance: float,
    max_iterations: int,
    ridge: float = 0.0,
    on_step: Callable[[int, float], None] | None = None,
) -> Solution:
    """Find unknowns x with |r(x)| <= tolerance, or with the least |r|^2 + ridge |x|^2.

    Every step is J^T y with (J J^T + mu mean(diag J J^T) 1) y = -r; mu shrinks by 8 when a step is accepted and
    grows by 8 when it is not. The system has the size of the residuals, however many unknowns there are. With a ridge
    the step is c + J^T y, c = -ridge x / (ridge + mu'), (J J^T + (ridge + mu') 1) y = -r - J c, mu' = mu mean(diag).

    A Jacobian costs several evaluations: after a step that leaves at most a tenth of the residuals it is kept and
    corrected along the step s (Broyden 1965), J <- J + (r(x + s) - r(x) - J s) s^T / s^T s. A step with a corrected one
    that is not accepted does not change mu; the Jacobian is then computed. Below the tolerance such steps, which cost
    one evaluation each, go on while they pay, to a thousandth of it.

    Parameters
    ----------
    evaluate : callable
        Unknowns (n_unknowns,) to a linearisation.
    start : (n_unknowns,) float64
        Start.
    tolerance : float
        On the Euclidean norm of the residuals.
    max_iterations : int
        Steps tried at most. The iteration also ends where steps no longer gain anything.
    ridge : float
        Weight of |x|^2, squared unit of the residuals.
    on_step : callable, optional
        Called with the number of the step and the norm of the residuals.

    Returns
    -------
    Solution
        The best point found.
    """
    unknowns, point, damping = start, evaluate(start), DAMPING_START
    norm = _size(point.residuals, unknowns, ridge)
    iterations, stalled = 0, 0
    model: _Model | None = None
    while iterations < max_iterations and stalled < STALLED_STEPS and damping < DAMPING_MAX:
        if norm <= tolerance and (model is None or norm <= POLISHED * tolerance):
            break
        if model is None:
            model = _Model(point.jacobian())
            if not np.isfinite(model.gram).all():
                return Solution(unknowns, point.residuals, iterations, False, _trouble(iterations))
        iterations += 1
        step = model.step(point.residuals, damping=damping, ridge=ridge, unknowns=unknowns)
        trial = evaluate(unknowns + step) if step is not None else None
        new_norm = _size(trial.residuals, unknowns + step, ridge) if step is not None and trial is not None else np.inf
        if step is not None and trial is not None and new_norm < (1 - ROUNDING) * norm:
            stalled = stalled + 1 if new_norm > (1 - STALLED_GAIN) * norm else 0
            if new_norm <= KEPT_REST * norm:
                model.correct(step, trial.residuals - point.residuals)
            else:
                model = None
            unknowns, point, norm = unknowns + step, trial, new_norm
            damping /= DAMPING_FACTOR
        elif model.corrected:
            model = None
        else:
            damping *= DAMPING_FACTOR
        if on_step is not None:
            on_step(iterations, norm)
    return Solution(unknowns, point.residuals, iterations, norm <= tolerance, "" if norm < np.inf else _trouble(0))


def _trouble(step: int) -> str:
    return f"a number that is not finite came up after {step} steps"


def _size(residuals: np.ndarray, unknowns: np.ndarray, ridge: float) -> float:
    """Return the root of what is made least."""
    with np.errstate(over="ignore"):  # a step that is much too long overflows to infinity and is not taken
        square = residuals @ residuals + (ridge * (unknowns @ unknowns) if ridge else 0.0)
    return float(np.sqrt(square))


class _Model:
    """The residuals near a point, to first order."""

    def __init__(self, jacobian: np.ndarray) -> None:
        self.jacobian, self.gram = jacobian, jacobian @ jacobian.T
        self.corrected = False

    def correct(self, step: np.ndarray, change: np.ndarray) -> None:
        """Make the model agree with a step (n_unknowns,) and what it changed in the residuals (n_residuals,)."""
        unit = step / np.linalg.norm(step)
        predicted = self.jacobian @ unit
        error = change / np.linalg.norm(step) - predicted
        self.jacobian = self.jacobian + np.outer(error, unit)
        cross = np.outer(error, predicted)
        self.gram = self.gram + cross + cross.T + np.outer(error, error)
        self.corrected = True

    def step(self, residuals: np.ndarray, *, damping: float, ridge: float, unknowns: np.ndarray) -> np.ndarray | None:
        """Return the damped Gauss-Newton step, or None if the damping is too small for the system to be definite."""
        gram, jacobian = self.gram, self.jacobian
        shift = damping * gram.trace() / len(gram)
        if not shift > 0:
            return None
        try:
            factor = cho_factor(gram + (shift + ridge) * np.eye(len(gram)))
        except LinAlgError:
            return None
        if not ridge:
            return -jacobian.T @ cho_solve(factor, residuals)
        shrunk = -ridge / (ridge + shift) * unknowns
        return shrunk - jacobian.T @ cho_solve(factor, residuals + jacobian @ shrunk)
