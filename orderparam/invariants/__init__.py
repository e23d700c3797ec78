"""Invariant polynomials: the Landau energy of order parameters, couplings, and its fit to energies."""

from .basis import invariant_polynomials
from .counts import Conditions, invariant_counts, transition_conditions
from .couplings import Coupling, find_couplings
from .energies import Energies, read_energies
from .expansion import LandauExpansion, landau_expansion
from .fit import LandauFit, fit_energies
from .polynomial import Polynomial, component_names

__all__ = [
    "Conditions",
    "Coupling",
    "Energies",
    "LandauExpansion",
    "LandauFit",
    "Polynomial",
    "component_names",
    "find_couplings",
    "fit_energies",
    "invariant_counts",
    "invariant_polynomials",
    "landau_expansion",
    "read_energies",
    "transition_conditions",
]
