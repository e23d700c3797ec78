"""Energies of distorted structures as a Landau polynomial, by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orderparam.errors import InvalidInputError

from .polynomial import Polynomial

SEPARABLE = 1e-6
"""An invariant is left out where its values differ from a sum of others by less than this part of themselves."""


@dataclass(frozen=True, eq=False)
class LandauFit:
    """``E = constant + sum_n coefficients[n] I_n``.

    Attributes
    ----------
    polynomials : tuple of Polynomial
        All invariants offered.
    constant : float
    coefficients : (n,)
        nan for invariants that the points cannot tell from those before them; the fit does without these.
    errors : (n,)
        Standard errors from the scatter; nan where there are no points to spare.
    rms, largest : float
        Of the residuals.
    n_points : int
    """

    polynomials: tuple[Polynomial, ...]
    constant: float
    coefficients: np.ndarray
    errors: np.ndarray
    rms: float
    largest: float
    n_points: int

    @property
    def n_spare(self) -> int:
        """Points beyond the number of coefficients; without any nothing tests the fit."""
        return self.n_points - 1 - int((~np.isnan(self.coefficients)).sum())

    @property
    def undetermined(self) -> tuple[Polynomial, ...]:
        """Invariants that are left out."""
        return tuple(p for p, c in zip(self.polynomials, self.coefficients, strict=True) if np.isnan(c))

    def __call__(self, components: np.ndarray) -> np.ndarray:
        """Return the energies of components (..., n)."""
        total = np.full(np.asarray(components).shape[:-1], self.constant)
        for polynomial, coefficient in zip(self.polynomials, self.coefficients, strict=True):
            if not np.isnan(coefficient):
                total = total + coefficient * polynomial(components)
        return total


def fit_energies(polynomials: Sequence[Polynomial], components: np.ndarray, energies: np.ndarray) -> LandauFit:
    """Fit energies by invariants.

    Invariants are taken one by one, lowest degree first; one whose values on the points are a sum of those before it
    (a series along one direction cannot tell p1^4 + p2^4 from p1^2 p2^2) is left out.

    Parameters
    ----------
    polynomials : sequence of Polynomial
    components : (m, n)
        Order parameters (Ap, angstrom) of every structure.
    energies : (m,)
        Per primitive cell of the parent.

    Raises
    ------
    InvalidInputError
        When there are fewer than two points, or numbers that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> square = Polynomial(("p1",), np.array([[2]]), np.array([1.0]))
    >>> fourth = Polynomial(("p1",), np.array([[4]]), np.array([1.0]))
    >>> p = np.linspace(0, 1, 6)
    >>> fit = fit_energies([square, fourth], p[:, None], -2 * p**2 + p**4 - 7)
    >>> round(fit.constant, 6), np.round(fit.coefficients, 6).tolist()
    (-7.0, [-2.0, 1.0])
    """
    components, energies = np.asarray(components, float), np.asarray(energies, float)
    if components.ndim != 2 or energies.shape != components.shape[:1]:
        raise InvalidInputError(
            f"energies: expected components (m, n) and energies (m,), received {components.shape} and {energies.shape}"
        )
    if not (np.isfinite(components).all() and np.isfinite(energies).all()):
        raise InvalidInputError("energies: a component or an energy is not a finite number")
    if len(energies) < 2:
        raise InvalidInputError(f"energies: expected at least two structures with an energy, received {len(energies)}")
    values = np.array([p(components) for p in polynomials]).reshape(-1, len(energies)).T
    chosen = _independent(values)
    design = np.column_stack([np.ones(len(energies)), values[:, chosen]])
    scale = np.linalg.norm(design, axis=0)
    solution, *_ = np.linalg.lstsq(design / scale, energies, rcond=None)
    residuals = energies - design @ (solution / scale)
    spare = len(energies) - design.shape[1]
    variance = float(residuals @ residuals) / spare if spare else np.nan
    covariance = np.linalg.inv((design / scale).T @ (design / scale)) * variance
    coefficients, errors = np.full(len(polynomials), np.nan), np.full(len(polynomials), np.nan)
    coefficients[chosen] = (solution / scale)[1:]
    errors[chosen] = (np.sqrt(np.diag(covariance)) / scale)[1:]
    return LandauFit(
        tuple(polynomials),
        float(solution[0] / scale[0]),
        coefficients,
        errors,
        float(np.sqrt(np.mean(residuals**2))),
        float(np.abs(residuals).max()),
        len(energies),
    )


def _independent(values: np.ndarray) -> list[int]:
    """Return the columns (m, n) that are no sum of a constant and of those before them (Gram-Schmidt)."""
    basis = [np.full(len(values), len(values) ** -0.5)]
    chosen = []
    for i, column in enumerate(values.T):
        rest = column.copy()
        for _ in range(2):
            for known in basis:
                rest = rest - known * (known @ rest)
        size = np.linalg.norm(rest)
        if size > SEPARABLE * np.linalg.norm(column) and size > 1e-12:
            chosen.append(i)
            basis.append(rest / size)
    return chosen
