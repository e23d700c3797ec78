"""The Landau energy of some irreps: all invariants with one coefficient each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orderparam.parent import Parent
from orderparam.symmetry.parentirreps import ParentIrrep

from .basis import invariant_polynomials
from .counts import Conditions, transition_conditions
from .couplings import Coupling, feasible_couplings
from .polynomial import Polynomial, component_names


@dataclass(frozen=True, eq=False)
class LandauExpansion:
    """The energy per primitive cell as ``E = E0 + sum_n c_n I_n``.

    Attributes
    ----------
    irreps : tuple of ParentIrrep
        The order parameters, each with a letter: p, q, r ...; one that occurs twice stands for two copies.
    degree : int
    polynomials : tuple of Polynomial
        All linearly independent invariants I_n up to the degree, lowest first.
    conditions : tuple of Conditions
        Of every irrep on its own.
    couplings : tuple of Coupling
        What follows from these order parameters.
    left_out : tuple of (ParentIrrep, int)
        Couplings with too many terms to be listed: the secondary, and the total degree.
    """

    irreps: tuple[ParentIrrep, ...]
    degree: int
    polynomials: tuple[Polynomial, ...]
    conditions: tuple[Conditions, ...]
    couplings: tuple[Coupling, ...]
    left_out: tuple[tuple[ParentIrrep, int], ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of all components."""
        return component_names([i.dimension for i in self.irreps])

    @property
    def counts(self) -> dict[int, int]:
        """Number of invariants of every degree."""
        return {d: sum(p.degree == d for p in self.polynomials) for d in range(1, self.degree + 1)}

    @property
    def landau_condition(self) -> bool:
        """Whether Landau's condition holds for every irrep."""
        return all(c.landau_condition for c in self.conditions)

    @property
    def lifshitz_condition(self) -> bool:
        """Whether Lifshitz's condition holds for every irrep."""
        return all(c.lifshitz_condition for c in self.conditions)

    def text(self) -> str:
        """Return the energy as ``E = E0 + c1 (p1^2 + ...) + ...``."""
        return "E = E0" + "".join(f" + c{n} ({p.text()})" for n, p in enumerate(self.polynomials, start=1))

    def latex(self) -> str:
        """Return the energy for a formula in LaTeX."""
        terms = (f" + c_{{{n}}} \\left({p.latex()}\\right)" for n, p in enumerate(self.polynomials, start=1))
        return "E = E_{0}" + "".join(terms)

    def sympy(self) -> Any:
        """Return the energy as a sympy expression."""
        import sympy

        total = sympy.Symbol("E0", real=True)
        for n, polynomial in enumerate(self.polynomials, start=1):
            total += sympy.Symbol(f"c{n}", real=True) * polynomial.sympy()
        return total


def landau_expansion(
    parent: Parent, irreps: Sequence[ParentIrrep], degree: int = 4, *, couplings: bool = True, force: bool = False
) -> LandauExpansion:
    """Return the Landau energy of irreps up to a degree, with what follows from them.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> parent = abstract_parent(221)
    >>> energy = landau_expansion(parent, [named_irrep(parent, "GM4-")], 4)
    >>> print(energy.text())
    E = E0 + c1 (p1^2 + p2^2 + p3^2) + c2 (p1^4 + p2^4 + p3^4) + c3 (p1^2 p2^2 + p1^2 p3^2 + p2^2 p3^2)
    >>> energy.counts, energy.landau_condition, energy.lifshitz_condition
    ({1: 0, 2: 1, 3: 0, 4: 2}, True, True)
    """
    polynomials = invariant_polynomials(parent, irreps, degree, force=force)
    conditions = tuple(transition_conditions(parent, irrep) for irrep in {i.label: i for i in irreps}.values())
    found = feasible_couplings(parent, irreps, degree, force=force) if couplings else ((), ())
    return LandauExpansion(tuple(irreps), degree, polynomials, conditions, *found)
