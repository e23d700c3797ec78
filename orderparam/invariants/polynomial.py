"""Polynomials in order-parameter components: values, text, LaTeX, sympy."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from orderparam.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTERS = "pqrtuvwxyz"
SECONDARY = "s"
"""Letter of a secondary order parameter; primary ones are p, q, r, t, u ..."""

_ROOTS = (1, 2, 3, 6)
_LARGEST_DENOMINATOR = 48


@dataclass(frozen=True, eq=False)
class Polynomial:
    """A homogeneous polynomial.

    Attributes
    ----------
    variables : tuple of str
        Names of the components, such as ``p1``.
    exponents : (n_terms, n) int
    coefficients : (n_terms,)

    Examples
    --------
    >>> import numpy as np
    >>> cubic = Polynomial(("p1", "p2"), np.array([[3, 0], [1, 2]]), np.array([1.0, -3.0]))
    >>> cubic.text(), cubic.latex(), cubic.degree
    ('p1^3 - 3 p1 p2^2', 'p_{1}^{3} - 3 p_{1} p_{2}^{2}', 3)
    >>> float(cubic(np.array([2.0, 1.0])))
    2.0
    """

    variables: tuple[str, ...]
    exponents: np.ndarray
    coefficients: np.ndarray

    def __post_init__(self) -> None:
        if self.exponents.shape != (len(self.coefficients), len(self.variables)):
            raise InvalidInputError(
                f"Polynomial: expected exponents ({len(self.coefficients)}, {len(self.variables)}), received "
                f"{self.exponents.shape}"
            )

    @property
    def degree(self) -> int:
        """Total degree."""
        return int(self.exponents[0].sum())

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the values at points (..., n)."""
        powers = np.asarray(values, float)[..., None, :] ** self.exponents
        return powers.prod(axis=-1) @ self.coefficients

    def gradient(self, values: np.ndarray) -> np.ndarray:
        """Return the derivatives (..., n) at points (..., n)."""
        values = np.asarray(values, float)
        out = np.zeros_like(values)
        for i in range(len(self.variables)):
            taken = self.exponents[:, i] > 0
            if taken.any():
                exponents = self.exponents[taken].copy()
                exponents[:, i] -= 1
                weights = self.coefficients[taken] * self.exponents[taken, i]
                out[..., i] = (values[..., None, :] ** exponents).prod(axis=-1) @ weights
        return out

    def text(self) -> str:
        """Return it as ``p1^2 p2 - 3 p1``."""
        return self._written(lambda name, power: name + (f"^{power}" if power > 1 else ""), _number_text)

    def latex(self) -> str:
        """Return it for a formula in LaTeX."""

        def factor(name: str, power: int) -> str:
            letter, number = re.sub(r"\d+$", "", name), re.search(r"\d+$", name)
            base = f"{letter}_{{{number[0]}}}" if number else name
            return base + (f"^{{{power}}}" if power > 1 else "")

        return self._written(factor, _number_latex)

    def sympy(self) -> Any:
        """Return it as a sympy expression with exact numbers where they are simple."""
        import sympy

        symbols = [sympy.Symbol(name, real=True) for name in self.variables]
        total = sympy.Integer(0)
        for value, row in zip(self.coefficients, self.exponents.tolist(), strict=True):
            exact = simple_number(value)
            number = (
                sympy.Float(value)
                if exact is None
                else sympy.Rational(exact[0].numerator, exact[0].denominator) * sympy.sqrt(exact[1])
            )
            for symbol, power in zip(symbols, row, strict=True):
                number *= symbol**power
            total += number
        return total

    def renamed(self, variables: Sequence[str]) -> Polynomial:
        """Return it with other names of the components."""
        return replace(self, variables=tuple(variables))

    def __str__(self) -> str:
        return self.text()

    def _written(self, factor: Any, number: Any) -> str:
        out = ""
        for value, row in zip(self.coefficients, self.exponents.tolist(), strict=True):
            factors = " ".join(factor(name, power) for name, power in zip(self.variables, row, strict=True) if power)
            sign = ("-" if value < 0 else "") if not out else (" - " if value < 0 else " + ")
            size = number(abs(value))
            out += sign + (factors if size == "1" and factors else f"{size} {factors}".strip())
        return out or "0"


def component_names(dimensions: Sequence[int]) -> tuple[str, ...]:
    """Return names of the components of several order parameters, one letter each.

    Examples
    --------
    >>> component_names([2, 1])
    ('p1', 'p2', 'q1')
    """
    if len(dimensions) > len(_LETTERS):
        raise InvalidInputError(f"invariants: expected at most {len(_LETTERS)} irreps, received {len(dimensions)}")
    return tuple(f"{_LETTERS[i]}{j + 1}" for i, n in enumerate(dimensions) for j in range(n))


def simple_number(value: float) -> tuple[Fraction, int] | None:
    """Return a number as fraction times the square root of 1, 2, 3 or 6; None where it is none of these.

    Examples
    --------
    >>> simple_number(-1.5), simple_number(3**0.5 / 2), simple_number(0.1234567)
    ((Fraction(-3, 2), 1), (Fraction(1, 2), 3), None)
    """
    for root in _ROOTS:
        fraction = Fraction(value / root**0.5).limit_denominator(_LARGEST_DENOMINATOR)
        if abs(float(fraction) * root**0.5 - value) < 1e-7 * max(1.0, abs(value)):
            return fraction, root
    return None


def _number_text(value: float) -> str:
    exact = simple_number(value)
    if exact is None:
        return f"{value:.6g}"
    fraction, root = exact
    if root == 1:
        return str(fraction)
    top = f"sqrt({root})" if fraction.numerator == 1 else f"{fraction.numerator} sqrt({root})"
    return top if fraction.denominator == 1 else f"{top}/{fraction.denominator}"


def _number_latex(value: float) -> str:
    exact = simple_number(value)
    if exact is None:
        return f"{value:.6g}"
    fraction, root = exact
    top = str(fraction.numerator) if root == 1 else f"\\sqrt{{{root}}}"
    if root > 1 and fraction.numerator > 1:
        top = f"{fraction.numerator}{top}"
    return top if fraction.denominator == 1 else f"\\frac{{{top}}}{{{fraction.denominator}}}"
