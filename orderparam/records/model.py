"""The records that predictions start from: parent, targets and order parameters, exactly; weights beside."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.discovery.family import gather_family
from orderparam.discovery.prediction import Predictor, build_predictor
from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError, RecordError
from orderparam.parent import Parent
from orderparam.spacegroup import standard_group
from orderparam.supercell import Subgroup, Supercell
from orderparam.symmetry.orderparameter import decompose

if TYPE_CHECKING:
    from orderparam.discovery.discover import Discovery
    from orderparam.discovery.familyfit import FamilyResult

MODEL_SCHEMA, FAMILY_MODEL_SCHEMA, MODEL_VERSION = "orderparam/model", "orderparam/family-model", 1
MODEL_FILE, WEIGHTS_FILE = "model.json", "weights.safetensors"
_PARTS = {
    MODEL_SCHEMA: ("parent", "target", "order_parameters", "carrier", "helpers", "seed"),
    FAMILY_MODEL_SCHEMA: ("parent", "targets", "order_parameters", "carrier", "unit"),
}
_ARRAYS = ("conventional", "file_basis", "file_origin", "orbits", "targets", "shifts")


def model_record(discovery: Discovery) -> dict[str, Any]:
    """Return what a prediction needs beside the weights (schema ``orderparam/model``)."""
    return {
        "schema": MODEL_SCHEMA,
        "version": MODEL_VERSION,
        "parent": _parent_record(discovery.analysis.relation.parent),
        "target": _target_record(discovery.taught),
        "order_parameters": [m.label for m in discovery.primaries],
        "carrier": discovery.carrier.name if discovery.carrier else None,
        "helpers": list(discovery.helpers),
        "seed": discovery.fit.config.seed,
    }


def family_model_record(result: FamilyResult) -> dict[str, Any]:
    """Return the same for many children (schema ``orderparam/family-model``)."""
    family = result.family
    return {
        "schema": FAMILY_MODEL_SCHEMA,
        "version": MODEL_VERSION,
        "parent": _parent_record(family.parent),
        "targets": {member.name: _target_record(member.distortion) for member in family.members},
        "order_parameters": [given.label for given in family.inputs],
        "carrier": family.carrier.name,
        "unit": family.unit,
    }


def _parent_record(parent: Parent) -> dict[str, Any]:
    return {
        "space_group": parent.group.number,
        "finite": parent.finite,
        "name": parent.crystal.name,
        "lattice": parent.crystal.lattice.tolist(),
        "positions": parent.crystal.positions.tolist(),
        "species": list(parent.crystal.species),
        "labels": list(parent.crystal.labels),
        "periodic": list(parent.crystal.periodic),
        "wyckoffs": list(parent.wyckoffs),
        "site_symmetries": list(parent.site_symmetries),
        "moved": [parent.moved_max, parent.moved_rms],
        **{name: getattr(parent, name).tolist() for name in _ARRAYS},
    }


def _target_record(target: Distortion) -> dict[str, Any]:
    supercell = target.supercell
    return {
        "matrix": supercell.matrix.tolist(),
        "sites": supercell.sites.tolist(),
        "cells": supercell.cells.tolist(),
        "elements": np.argwhere(target.group.elements).tolist(),
        "displacements": target.displacements.tolist(),
        "strain": target.strain.tolist(),
    }


def load_predictor(folder: str | Path) -> Predictor:
    """Read the folder of a fit, of one child or of many, as a function of its order parameters.

    Raises
    ------
    RecordError
        When the folder is none of a fit, is incomplete, or was written by another version.
    InvalidInputError
        When the fit has no order parameter to set.
    """
    from orderparam.network.trained import TrainedNetwork

    folder = Path(folder)
    record = _read(folder)
    network = TrainedNetwork.load(folder / WEIGHTS_FILE)
    of_many = record["schema"] == FAMILY_MODEL_SCHEMA
    if not of_many:
        _check_function(folder, record)
    targets = record["targets"] if of_many else {"child": record["target"]}
    try:
        parent = _parent(record["parent"])
        children = {name: decompose(_target(parent, target)) for name, target in targets.items()}
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise RecordError(f"{folder / MODEL_FILE}: not what a fit writes ({problem}); fit again") from problem
    labels, carrier = record["order_parameters"], record["carrier"]
    if of_many:
        family = gather_family(children, irreps=labels, carrier=carrier)
        return Predictor(replace(family, unit=record["unit"]), network)
    return build_predictor(children["child"], labels, carrier, network, seed=record["seed"])


def _check_function(folder: Path, record: dict[str, Any]) -> None:
    """Refuse a fit that is no function of order parameters that can be set."""
    finite = record["parent"].get("finite")
    if finite or not record["order_parameters"]:
        what = "of a finite set of points" if finite else "without an order parameter"
        raise InvalidInputError(f"{folder}: predictions start from the fit of a crystal; this is one {what}")
    if record["helpers"]:
        given = ", ".join(record["helpers"])
        raise InvalidInputError(
            f"{folder}: this fit was given {given} beside its order parameters; it is no function of these alone"
        )


def _read(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise RecordError(f"{folder}: expected the folder that `orderparam fit --out` wrote")
    missing = [name for name in (MODEL_FILE, WEIGHTS_FILE) if not (folder / name).is_file()]
    if missing:
        raise RecordError(f"{folder}: incomplete, it has no {' and no '.join(missing)}; run `orderparam fit` again")
    try:
        record = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise RecordError(f"{folder / MODEL_FILE}: cannot be read ({problem}); run `orderparam fit` again") from problem
    found = (record.get("schema"), record.get("version")) if isinstance(record, dict) else (None, None)
    if found not in {(schema, MODEL_VERSION) for schema in _PARTS}:
        raise RecordError(
            f"{folder / MODEL_FILE}: expected {MODEL_SCHEMA} version {MODEL_VERSION}, received {found[0]} version "
            f"{found[1]}; run `orderparam fit` again with this version"
        )
    lacking = [key for key in _PARTS[record["schema"]] if key not in record]
    if lacking:
        raise RecordError(f"{folder / MODEL_FILE}: incomplete, it has no {', '.join(lacking)}; fit again")
    return record


def _parent(own: dict[str, Any]) -> Parent:
    a, b, c = own.get("periodic", (True, True, True))
    crystal = Crystal(
        np.array(own["lattice"]),
        np.array(own["positions"]),
        tuple(own["species"]),
        tuple(own["labels"]),
        own["name"],
        periodic=(a, b, c),
    )
    return Parent(
        crystal=crystal,
        group=standard_group(own["space_group"]),
        wyckoffs=tuple(own["wyckoffs"]),
        site_symmetries=tuple(own["site_symmetries"]),
        moved_max=own["moved"][0],
        moved_rms=own["moved"][1],
        conventional=np.array(own["conventional"]),
        file_basis=np.array(own["file_basis"]),
        file_origin=np.array(own["file_origin"]),
        orbits=np.array(own["orbits"]),
        targets=np.array(own["targets"]),
        shifts=np.array(own["shifts"]),
    )


def _target(parent: Parent, known: dict[str, Any]) -> Distortion:
    supercell = Supercell(parent, np.array(known["matrix"]), np.array(known["sites"]), np.array(known["cells"]))
    elements = np.zeros((parent.group.order, supercell.n_cells), bool)
    elements[tuple(np.array(known["elements"]).T)] = True
    displacements, strain = np.array(known["displacements"]), np.array(known["strain"])
    return Distortion(supercell, displacements, strain, Subgroup(supercell, elements))
