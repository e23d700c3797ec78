"""What a prediction leaves behind: structures and prediction.json."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from orderparam.crystals.crystal import numbered
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.prediction import Image, Predictor
from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError
from orderparam.formats import extended_xyz
from orderparam.records import to_json
from orderparam.records.prediction import path_record, prediction_record

from .folder import check_folder, fill_folder

CIF_SYMPREC = 1e-5
_OWN = re.compile(r"prediction\.json|predicted\.cif|path\.xyz|\d{4}\.cif")


def _is_own(name: str) -> bool:
    return bool(_OWN.fullmatch(name))


def check_prediction_folder(folder: Path, form: str, *, force: bool) -> None:
    """Refuse a format that is not known, and a folder that holds other files.

    Raises
    ------
    InvalidInputError
    """
    if form not in {"cif", "xyz"}:
        raise InvalidInputError(f"--format {form}: expected cif or xyz")
    check_folder(folder, force=force, own=_is_own)


def write_prediction(
    predictor: Predictor, components: Mapping[str, np.ndarray], folder: Path, *, force: bool
) -> dict[str, Any]:
    """Predict, write predicted.cif and prediction.json, and return the record."""
    distortion = predictor.predict(components)
    record = prediction_record(predictor, components, distortion, "predicted.cif")
    _write(folder, {"predicted.cif": _cif(distortion, symprec=CIF_SYMPREC)}, record, force=force)
    return record


def write_path(predictor: Predictor, path: Sequence[Image], folder: Path, form: str, *, force: bool) -> dict[str, Any]:
    """Write a path as one CIF per structure (all atoms, one order) or one XYZ, and prediction.json."""
    names = [f"{i:04d}.cif" if form == "cif" else "path.xyz" for i in range(len(path))]
    moved = [image.distortion for image in path]
    if form == "cif":
        texts = {name: _cif(distortion) for name, distortion in zip(names, moved, strict=True)}
    else:
        texts = {"path.xyz": extended_xyz([d.crystal() for d in moved], [d.displacements for d in moved])}
    record = path_record(predictor, path, names)
    _write(folder, texts, record, force=force)
    return record


def _cif(distortion: Distortion, symprec: float | None = None) -> str:
    crystal = distortion.crystal()
    crystal = replace(crystal, labels=numbered(crystal.species))
    return crystal_to_cif(crystal) if symprec is None else crystal_to_cif(crystal, symprec=symprec)


def _write(folder: Path, texts: dict[str, str], record: dict[str, Any], *, force: bool) -> None:
    def fill(place: Path) -> None:
        for name, text in {**texts, "prediction.json": to_json(record)}.items():
            (place / name).write_text(text, encoding="utf-8")

    fill_folder(folder, fill, force=force, own=_is_own)
