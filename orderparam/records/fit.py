"""The record of a fit."""

from __future__ import annotations

from typing import Any

from orderparam.discovery.discover import PREDICTED_SYMPREC, Discovery, predicted_crystal
from orderparam.discovery.sharedinputs import shared_inputs
from orderparam.pointgroup import checked_point_group
from orderparam.pointparent import out_of_box, point_group_of

from .files import VERSION, versions
from .modes import modes_record
from .points import in_point_groups, point_group_record

FIT_SCHEMA = "orderparam/fit"


def fit_record(discovery: Discovery, *, command: dict[str, Any]) -> dict[str, Any]:
    """Return the public record of a fit (schema ``orderparam/fit``); `command` is what the user asked for."""
    fit, choice = discovery.fit, discovery.fit.choice
    number, symbol = discovery.predicted_group
    record = {
        "schema": FIT_SCHEMA,
        "version": VERSION,
        "modes": modes_record(discovery.analysis),
        "inputs": _input_records(discovery),
        "carriers": [
            {
                "element": m.element,
                "site": m.site,
                "irrep": str(m.irrep),
                "components_per_formula_unit": m.components_per_formula_unit,
                "share_held": carrier.share_held,
                "tied": carrier.tied,
                "chosen": discovery.carrier is not None and carrier.name == discovery.carrier.name,
                "with": [other.name for other in carrier.members if other is not m],
            }
            for carrier in discovery.carriers
            for m in carrier.members
        ],
        "gradient": [
            {
                "element": g.element,
                "site": g.site,
                "irrep": g.irrep,
                "space_group_irrep": g.space_group_irrep,
                "norm": g.norm,
            }
            for g in discovery.gradient
        ],
        "learned_order_parameter": [
            {
                "label": found.label,
                "direction": found.direction,
                "normalised_to": found.normalised_to,
                "input": found.input,
                "isotropy_subgroup": {
                    "number": found.isotropy_subgroup[0],
                    "symbol": found.isotropy_subgroup[1],
                },
                "share_of_input": found.share_of_input,
            }
            for found in discovery.learned
        ],
        "necessity": [
            {
                "without": n.without,
                "residual_max": n.residual_max,
                "exact_floor_max": n.exact_floor_max,
                "strain_residual": n.strain_residual,
                "strain_floor": n.strain_floor,
            }
            for n in discovery.necessity
        ],
        "residual": {"max": fit.deviation.max, "rms": fit.deviation.rms, "mean_abs": fit.deviation.mean_abs},
        "strain_residual": fit.deviation.strain,
        "noise": _noise_record(discovery),
        "floor": _floor_record(discovery),
        "constraint": _constraint_record(discovery),
        "predicted": {"space_group": {"number": number, "symbol": symbol}, "symprec": 1e-4},
        "architecture": {
            "lmax": choice.architecture.lmax,
            "layers": choice.architecture.layers,
            "cutoff": fit.network.radial.cutoff,
            "rank_deficiency": choice.chosen.deficiency,
            "unreachable": list(discovery.unreachable),
            "helpers": list(discovery.helpers),
            "tried": [str(rung.architecture) for rung in choice.rungs],
        },
        "converged": fit.converged,
        "warnings": list(discovery.warnings),
        "iterations": fit.iterations,
        "history": list(fit.history),
        "restarts": fit.restarts,
        "seed": fit.config.seed,
        "config": command,
        "versions": versions(),
        "seconds": discovery.seconds,
    }
    return _of_points(record, discovery) if discovery.analysis.relation.parent.finite else record


def _input_records(discovery: Discovery) -> list[dict[str, Any]]:
    """Return the fields that the network was given, helpers among them."""
    carrier, primary = discovery.carrier, [m.label for m in discovery.primaries]
    members = {m.name: m for m in carrier.members} if carrier else {}
    held = {m.name: holds for m, holds in zip(carrier.members, carrier.holds, strict=True)} if carrier else {}
    found = []
    for block in discovery.blocks:
        name, _, helped = block.name.partition(" (")
        member = members.get(name)
        found.append(
            {
                "element": member.element if member else name.split(":")[0],
                "site": member.site if member else name.split(":")[0],
                "irrep": str(block.irrep),
                "space_group_irreps": helped.rstrip(")").split(", ")
                if helped
                else [label for label in primary if label in held.get(name, ())],
                "free_components": block.n_free,
                "helper": bool(helped),
            }
        )
    return found


def _of_points(record: dict[str, Any], discovery: Discovery) -> dict[str, Any]:
    """Return the record of a finite set: its point groups, that of the prediction by pymatgen."""
    record = in_point_groups(record)
    points = out_of_box(predicted_crystal(discovery.analysis, discovery.fit))
    predicted, _ = checked_point_group(points, PREDICTED_SYMPREC)
    return record | {
        "predicted": {"point_group": point_group_record(predicted), "symprec": PREDICTED_SYMPREC},
        "shared_inputs": [
            {
                "irrep": str(found.irrep),
                "free_components": found.n_free,
                "holds": list(found.holds),
                "point_group": point_group_record(point_group_of(found.group.space_group[0])[0]),
                "exact_floor_max": found.floor_max,
            }
            for found in shared_inputs(discovery.analysis)
        ],
    }


def _noise_record(discovery: Discovery) -> dict[str, Any] | None:
    """Return how far the prediction is from the noisy child, and from the noise-free one to expect."""
    noise = discovery.analysis.noise
    if noise is None or discovery.off_noisy_child is None:
        return None
    return {
        "sigma": noise.sigma,
        "determined": noise.determined,
        "coordinates": noise.n_free + noise.n_left,
        "parameters": noise.n_free,
        "off_noisy_child": discovery.off_noisy_child,
        "off_denoised_child": discovery.fit.deviation.rms / 3**0.5,
        "expected_error": noise.expected_error,
    }


def _floor_record(discovery: Discovery) -> dict[str, Any]:
    """Return what no function without an order parameter can reach, and what the network without one did."""
    floor = discovery.floor
    bare = discovery.bound is floor
    return {
        "max": floor.max,
        "rms": floor.rms,
        "strain": floor.strain_missed,
        "given_up": floor.missed,
        "exact_difference": discovery.exact_difference if bare else None,
    }


def _constraint_record(discovery: Discovery) -> dict[str, Any] | None:
    """Return what a constraint left and took, None without one."""
    found = discovery.constrained
    if found is None:
        return None
    number, symbol = found.group.space_group
    free = found.free
    return {
        "spec": found.constraint.spec,
        "terms": [term.spec for term in found.constraint.terms],
        "isotropy_subgroup": {"number": number, "symbol": symbol},
        "exact_difference": discovery.exact_difference,
        "given_up": found.floor.missed,
        "strain_given_up": found.floor.strain_parts,
        "free_field": free
        and {
            "input": free.name,
            "isotropy_subgroup": {"number": free.group.space_group[0], "symbol": free.group.space_group[1]},
            "stepping_in": list(free.stepping_in),
        },
        "notes": list(found.notes),
    }
