"""The record of a fit of many children."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from orderparam.discovery.family import Family, Member
from orderparam.discovery.familyfit import FAMILY_SYMPREC, FamilyResult, LeftOut, MemberResult

from .files import VERSION, versions

FAMILY_SCHEMA = "orderparam/family"


def family_record(
    result: FamilyResult, *, files: Mapping[str, str] | None = None, command: dict[str, Any]
) -> dict[str, Any]:
    """Return the public record of a fit of many children (schema ``orderparam/family``).

    Parameters
    ----------
    result : FamilyResult
    files : mapping, optional
        File of every child, by name.
    command : dict
        What the user asked for.
    """
    family, fit = result.family, result.fit
    parent, architecture = family.parent, fit.network.architecture
    return {
        "schema": FAMILY_SCHEMA,
        "version": VERSION,
        "parent": {
            "file": parent.crystal.name,
            "formula": parent.crystal.formula,
            "space_group": {"number": parent.group.number, "symbol": parent.group.symbol},
            "origin_atom": parent.origin_atom,
        },
        "inputs": _inputs(family),
        "angstrom_per_unit_of_input": family.unit,
        "children": [_child(child, family[child.name], (files or {}).get(child.name)) for child in result.children],
        "leave_one_out": [_left_out(found) for found in result.leave_one_out],
        "residual": {"max": max(c.residual_max for c in result.children)},
        "strain_residual": max(c.strain_residual for c in result.children),
        "architecture": {
            "lmax": architecture.lmax,
            "layers": architecture.layers,
            "cutoff": fit.network.radial.cutoff,
            "out_of_reach": fit.rungs[-1].unreachable,
            "tried": [str(rung.architecture) for rung in fit.rungs],
        },
        "ridge": fit.ridge,
        "converged": fit.converged,
        "iterations": fit.iterations,
        "restarts": fit.restarts,
        "seed": fit.config.seed,
        "warnings": list(family.warnings),
        "config": command,
        "versions": versions(),
        "seconds": {stage: round(value, 4) for stage, value in result.seconds.items()},
    }


def _inputs(family: Family) -> list[dict[str, Any]]:
    found = []
    for given in family.inputs:
        holder = family.holder(given)
        low, high = family.ranges[given.label]
        found.append(
            {
                "element": holder.element,
                "site": holder.site,
                "irrep": str(holder.irrep),
                "space_group_irreps": [given.irrep.label],
                "strain": given.is_strain,
                "copy_weights": given.copy_weights.tolist(),
                "range": {"min": low, "max": high},
            }
        )
    return found


def _child(child: MemberResult, member: Member, file: str | None) -> dict[str, Any]:
    number, symbol = member.distortion.group.space_group
    predicted = child.space_group
    return {
        "name": child.name,
        "file": file,
        "space_group": {"number": number, "symbol": symbol},
        "cell_multiplication": member.distortion.supercell.n_cells,
        "order_parameters": [
            {"label": label, "amplitude_parent": float(np.linalg.norm(values)), "components": values.tolist()}
            for label, values in member.common.items()
        ],
        "residual": {"max": child.residual_max, "rms": child.residual_rms},
        "strain_residual": child.strain_residual,
        "predicted": {
            "space_group": None if predicted is None else {"number": predicted[0], "symbol": predicted[1]},
            "symprec": FAMILY_SYMPREC,
        },
    }


def _left_out(found: LeftOut) -> dict[str, Any]:
    pairs = {"network": found.network, "linear_modes": found.linear_modes, "power_law": found.power_law}
    errors = {name: {"max": size, "strain": strain} for name, (size, strain) in pairs.items()}
    return {"child": found.name, **errors, "trained_max": found.trained_max}
