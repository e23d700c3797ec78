"""The record of a Landau expansion."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np

from orderparam.invariants import Coupling, LandauExpansion, LandauFit, Polynomial
from orderparam.parent import Parent

from .directions import group_record, wave_vector
from .files import VERSION

INVARIANTS_SCHEMA = "orderparam/invariants"


def invariants_record(parent: Parent, expansion: LandauExpansion, fit: LandauFit | None = None) -> dict[str, Any]:
    """Return the public record of invariant polynomials (schema ``orderparam/invariants``), with a fit of energies."""
    names = iter(expansion.variables)
    conditions = {c.label: c for c in expansion.conditions}
    irreps = [
        {
            "label": irrep.label,
            "k": wave_vector(parent, irrep.k[0]),
            "variables": [next(names) for _ in range(irrep.dimension)],
            "landau_condition": conditions[irrep.label].landau_condition,
            "lifshitz_condition": conditions[irrep.label].lifshitz_condition,
            "lifshitz_invariants": conditions[irrep.label].lifshitz,
        }
        for irrep in expansion.irreps
    ]
    record = {
        "schema": INVARIANTS_SCHEMA,
        "version": VERSION,
        "parent": group_record(parent),
        "irreps": irreps,
        "counts": {str(d): n for d, n in expansion.counts.items()},
        "polynomials": [_polynomial(p) for p in expansion.polynomials],
        "couplings": [_coupling(parent, c) for c in expansion.couplings],
        "couplings_left_out": [
            {"secondary": irrep.label, "k": wave_vector(parent, irrep.k[0]), "degree": degree}
            for irrep, degree in expansion.left_out
        ],
        "landau_condition": expansion.landau_condition,
        "lifshitz_condition": expansion.lifshitz_condition,
    }
    if fit is not None:
        record["fit"] = landau_fit_record(fit)
    return record


def _polynomial(polynomial: Polynomial) -> dict[str, Any]:
    return {"degree": polynomial.degree, "expression": polynomial.text(), "latex": polynomial.latex()}


def _coupling(parent: Parent, coupling: Coupling) -> dict[str, Any]:
    return {
        "secondary": coupling.secondary.label,
        "k": wave_vector(parent, coupling.secondary.k[0]),
        "expression": " ; ".join(p.text() for p in coupling.polynomials),
        "terms": [_polynomial(p) for p in coupling.polynomials],
        "degree": coupling.degree,
        "displacements": coupling.by_displacements if parent.crystal.n_sites else None,
        "strain": coupling.by_strain,
        "strain_tensors": np.round(coupling.strain_tensors(parent), 8).tolist() if coupling.by_strain else [],
    }


def landau_fit_record(fit: LandauFit) -> dict[str, Any]:
    """Return a fit of energies: one coefficient per invariant, null where the structures do not determine it."""
    return {
        "constant": fit.constant,
        "coefficients": [
            {
                **_polynomial(p),
                "coefficient": None if isnan(c) else float(c),
                "error": None if isnan(e) else float(e),
            }
            for p, c, e in zip(fit.polynomials, fit.coefficients, fit.errors, strict=True)
        ],
        "rms": fit.rms,
        "largest_residual": fit.largest,
        "n_structures": fit.n_points,
    }
