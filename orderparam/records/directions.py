"""The records of isotropy subgroups and of the irreps that a group has."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from orderparam.o3 import Irrep
from orderparam.parent import Parent
from orderparam.symmetry.directioncodes import direction_code
from orderparam.symmetry.fieldcarriers import DISPLACEMENT, field_carriers
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.symmetry.strains import strain_labels
from orderparam.symmetry.strata import Direction
from orderparam.wavevectors import LARGEST_DENOMINATOR

from .files import VERSION

FIELDS = ("0e", "0o", "1o", "1e", "2e", "2o")
"""Site irreps for which carriers are listed: occupation, displacements, moments, quadrupoles and their odd partners."""

DIRECTIONS_SCHEMA, IRREPS_SCHEMA = "orderparam/directions", "orderparam/irreps"


def directions_record(
    parent: Parent, found: Sequence[tuple[Sequence[ParentIrrep], Sequence[Direction]]]
) -> dict[str, Any]:
    """Return the public record of directions (schema ``orderparam/directions``): irreps with their directions."""
    labels = ["+".join(i.label for i in irreps) for irreps, _ in found]
    return {
        "schema": DIRECTIONS_SCHEMA,
        "version": VERSION,
        "parent": group_record(parent),
        "irreps": labels,
        "directions": [direction_row(parent, direction) for _, directions in found for direction in directions],
    }


def direction_row(parent: Parent, direction: Direction) -> dict[str, Any]:
    """Return one direction as plain values; basis and origin in the parent's conventional cell."""
    number, symbol = direction.subgroup.space_group
    basis, origin = direction.setting()
    irreps = direction.images.irreps
    return {
        "irreps": [i.label for i in irreps],
        "symbol": direction.symbol,
        "code": direction_code(direction),
        "free_parameters": direction.n_free,
        "space_group": {"number": number, "symbol": symbol},
        "index": direction.index,
        "size": direction.size,
        "domains": direction.index,
        "basis": np.round(basis, 8).tolist(),
        "origin": np.round(origin, 8).tolist(),
        "k_active": [wave_vector(parent, k) for k in direction.k_active()],
        "maximal": direction.is_maximal,
        "species": carried_by_all(parent, irreps),
    }


def group_record(parent: Parent) -> dict[str, Any]:
    """Return what is known of a parent, or of a space group alone."""
    return {
        "file": parent.crystal.name or None,
        "formula": parent.crystal.formula if parent.crystal.n_sites else None,
        "space_group": {"number": parent.group.number, "symbol": parent.group.symbol},
        "origin_atom": parent.origin_atom if parent.crystal.n_sites else None,
    }


def carriers_of(parent: Parent, irrep: ParentIrrep) -> list[str]:
    """Return the site labels of the orbits whose displacements can carry an irrep."""
    return field_carriers(parent, irrep, DISPLACEMENT)


def carried_by_all(parent: Parent, irreps: Sequence[ParentIrrep]) -> list[str]:
    """Return the sites whose displacements carry any of several irreps; none where one irrep has no carrier."""
    lists = [carriers_of(parent, irrep) for irrep in irreps]
    return list(dict.fromkeys(label for labels in lists for label in labels)) if all(lists) else []


def carriers_with_strain(parent: Parent, irreps: Sequence[ParentIrrep], strains: Sequence[str]) -> list[str]:
    """Return what can be these order parameters: sites, and "strain"; none where one irrep has neither.

    ``strains`` holds the labels of the irreps that the strain has.
    """
    lists = [[*carriers_of(parent, i), *(["strain"] if i.label in strains else [])] for i in irreps]
    found = dict.fromkeys(name for names in lists for name in names)
    return sorted(found, key=lambda name: name == "strain") if all(lists) else []


def irreps_record(parent: Parent, irreps: Sequence[ParentIrrep], strains: Sequence[str]) -> dict[str, Any]:
    """Return the public record of the irreps of a group (schema ``orderparam/irreps``)."""
    return {
        "schema": IRREPS_SCHEMA,
        "version": VERSION,
        "parent": group_record(parent),
        "irreps": [irrep_row(parent, irrep, strains) for irrep in irreps],
    }


def irrep_row(parent: Parent, irrep: ParentIrrep, strains: Sequence[str]) -> dict[str, Any]:
    """Return one irrep as plain values."""
    return {
        "label": irrep.label,
        "k_label": irrep.irrep.k_label,
        "k": wave_vector(parent, irrep.k[0]),
        "arms": len(irrep.k),
        "dimension": irrep.dimension,
        "type": {1: 1, -1: 2, 0: 3}[irrep.irrep.kind],
        "displacements": carriers_of(parent, irrep),
        "strain": irrep.label in strains,
        "fields": {name: field_carriers(parent, irrep, Irrep.parse(name)) for name in FIELDS},
    }


def solutions_record(parent: Parent, solutions: Sequence[Sequence[Direction]]) -> dict[str, Any]:
    """Return the record of the inverse search: what leads to a given subgroup."""
    strains = strain_labels(parent)
    return {
        "schema": IRREPS_SCHEMA,
        "version": VERSION,
        "parent": group_record(parent),
        "solutions": [
            {
                "irreps": [i.label for i in found[0].images.irreps],
                "directions": [d.symbol for d in found],
                "index": [d.index for d in found],
                "species": carried_by_all(parent, found[0].images.irreps),
                "strain": [i.label for i in found[0].images.irreps if i.label in strains],
            }
            for found in solutions
        ],
    }


def wave_vector(parent: Parent, k: np.ndarray) -> list[float]:
    """Return a wave vector (primitive basis) as it is printed: conventional, one copy of it (`wavevectors`)."""
    return [float(Fraction(float(v)).limit_denominator(LARGEST_DENOMINATOR)) for v in parent.k_printed(k)]
