"""The folder that a fit leaves behind: every file written beside the place first, then moved in whole."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderparam.crystals.crystal import Crystal, numbered
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.discover import PREDICTED_SYMPREC, predicted_crystal
from orderparam.errors import InvalidInputError, RecordError
from orderparam.pointparent import out_of_box
from orderparam.records import VERSION, detail_record, drawing_record, to_json
from orderparam.records.drawing import DRAWING_SCHEMA
from orderparam.records.fit import FIT_SCHEMA
from orderparam.records.model import model_record
from orderparam.spacegroup import report_symmetry

if TYPE_CHECKING:
    from orderparam.discovery.analyse import Analysis
    from orderparam.discovery.discover import Discovery

RUN_FILES = {
    "result.json": "all of the above as JSON",
    "predicted.cif": "the structure that the network predicts",
    "reference.cif": "the parent in the child's cell, atoms in matching order",
    "inputs.json": "the learned fields, scaled to the exact amplitudes and raw",
    "weights.safetensors": "the network",
    "drawing.json": "what `orderparam report` draws",
    "model.json": "parent, target and order parameters, for `orderparam predict`",
}
"""What a fit writes, and what each file holds; the structures of a finite set of points are .xyz files."""

INPUTS_SCHEMA = "orderparam/inputs"


def run_files(*, finite: bool) -> dict[str, str]:
    """Return the files of a fit of crystals, or of finite sets of points."""
    if not finite:
        return dict(RUN_FILES)
    texts = {"reference.cif": "the parent, atoms in matching order"}
    return {
        name.replace(".cif", ".xyz"): texts.get(name, text)
        for name, text in RUN_FILES.items()
        if name != "drawing.json"
    }


def _is_run_file(name: str) -> bool:
    return name in run_files(finite=False) or name in run_files(finite=True)


def check_folder(folder: Path, *, force: bool, own: Callable[[str], bool] = _is_run_file) -> None:
    """Refuse a folder that is none, cannot be written to, or holds files that are not a previous run's (`own`).

    Raises
    ------
    InvalidInputError
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"--out {folder}: this is a file, not a folder")
    try:
        foreign = sorted(p.name for p in folder.iterdir() if not own(p.name)) if folder.exists() else []
        parent = next(p for p in (folder, *folder.absolute().parents) if p.exists())
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as problem:
        raise InvalidInputError(f"--out {folder}: cannot be written to ({problem.strerror})") from problem
    if foreign and not force:
        shown = ", ".join(foreign[:3]) + (" ..." if len(foreign) > 3 else "")
        raise InvalidInputError(
            f"--out {folder}: the folder holds other files ({shown}); choose another one, or --force to write into it"
        )


def write_folder(
    discovery: Discovery,
    record: dict[str, Any],
    folder: Path,
    *,
    drawing: dict[str, Any] | None = None,
    force: bool = False,
) -> None:
    """Write result.json, the structures, the learned inputs and the weights; all of them or none.

    `drawing` is made of the analysis where it is not given.

    Raises
    ------
    InvalidInputError
        When the folder holds other files (unless `force`) or cannot be written.
    """
    drawn = whole_drawing(discovery.analysis) if drawing is None else drawing
    fill_folder(folder, lambda new: _write_files(discovery, record, drawn, new), force=force)


def fill_folder(
    folder: Path, write: Callable[[Path], None], *, force: bool, own: Callable[[str], bool] = _is_run_file
) -> None:
    """Have files written into a new folder beside the wanted one, then put them there; a previous run's files go.

    Raises
    ------
    InvalidInputError
    """
    check_folder(folder, force=force, own=own)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as place:
            new = Path(place) / "run"
            new.mkdir()
            write(new)
            if folder.exists():
                written = {path.name for path in new.iterdir()}
                for name in written:
                    (new / name).replace(folder / name)
                for old in [p for p in folder.iterdir() if own(p.name) and p.name not in written]:
                    old.unlink()
            else:
                new.replace(folder)
    except OSError as problem:
        raise InvalidInputError(f"--out {folder}: cannot be written ({problem.strerror or problem})") from problem


def whole_drawing(analysis: Analysis) -> dict[str, Any]:
    """Return all that is drawn of a pair, groups in between and powder lines among it; nothing for finite sets."""
    if analysis.relation.parent.finite:
        return {}
    return drawing_record(analysis) | detail_record(analysis)


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the records of a run: result, drawing and learned inputs.

    Raises
    ------
    RecordError
        When a file is missing, is no JSON, or not of the schema that it should be.
    """
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder; give the --out folder of orderparam fit")
    if (folder / "predicted.xyz").is_file():
        raise RecordError(f"{folder}: the run of a finite set of points; pages are drawn of crystals only")
    if any(folder.glob("*.predicted.cif")):
        raise RecordError(f"{folder}: the run of several children; pages are drawn of one child")
    names = {"result.json": FIT_SCHEMA, "drawing.json": DRAWING_SCHEMA, "inputs.json": INPUTS_SCHEMA}
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise RecordError(
            f"{folder}: the run is not complete: {', '.join(missing)} missing; run orderparam fit with --out {folder}"
        )
    result, drawing, inputs = (_read_record(folder / name, schema) for name, schema in names.items())
    return result, drawing, inputs


def _read_record(path: Path, schema: str) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise RecordError(f"{path}: cannot be read as JSON ({problem}); run orderparam fit again") from problem
    found = (record.get("schema"), record.get("version")) if isinstance(record, dict) else (type(record).__name__, None)
    if found != (schema, VERSION):
        raise RecordError(f"{path}: expected schema {schema}, version {VERSION}, found {found[0]}, version {found[1]}")
    return record


def _write_files(discovery: Discovery, record: dict[str, Any], drawing: dict[str, Any], place: Path) -> None:
    texts = {"result.json": to_json(record), "inputs.json": to_json(inputs_record(discovery))}
    texts["model.json"] = to_json(model_record(discovery))
    if discovery.analysis.relation.parent.finite:
        reference = discovery.analysis.relation.distortion.reference()
        texts["predicted.xyz"] = points_xyz(predicted_crystal(discovery.analysis, discovery.fit), "predicted")
        texts["reference.xyz"] = points_xyz(reference, "reference")
    else:
        texts |= {"predicted.cif": predicted_cif(discovery), "reference.cif": reference_cif(discovery)}
        texts["drawing.json"] = to_json(drawing)
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
    discovery.fit.network.save(place / "weights.safetensors")
    (place / "weights.safetensors").chmod(0o644)  # safetensors keeps its files to their owner


def points_xyz(crystal: Crystal, comment: str) -> str:
    """Return a finite set as XYZ, about its parent's centre."""
    return out_of_box(crystal).to_xyz(comment)


def predicted_cif(discovery: Discovery) -> str:
    """Return the prediction as CIF: with its symmetry where spglib finds the child's group, else all atoms in P1."""
    predicted = _with_own_labels(predicted_crystal(discovery.analysis, discovery.fit))
    expected = report_symmetry(discovery.exact, PREDICTED_SYMPREC).number
    if report_symmetry(predicted, PREDICTED_SYMPREC).number == expected:
        return crystal_to_cif(predicted, symprec=PREDICTED_SYMPREC)
    return crystal_to_cif(predicted)


def reference_cif(discovery: Discovery) -> str:
    """Return the parent in the child's cell as CIF, atoms in the order of the correspondence, P1."""
    return crystal_to_cif(_with_own_labels(discovery.analysis.relation.distortion.reference()))


def _with_own_labels(crystal: Crystal) -> Crystal:
    """Return the crystal with one label per atom, as a CIF wants it."""
    return replace(crystal, labels=numbered(crystal.species))


def inputs_record(discovery: Discovery) -> dict[str, Any]:
    """Return the learned fields: one row (2 l + 1) per atom of reference.cif, in e3nn's basis."""
    supercell = discovery.analysis.relation.distortion.supercell
    return {
        "schema": INPUTS_SCHEMA,
        "version": 1,
        "lattice": None if supercell.parent.finite else supercell.lattice.tolist(),
        "species": list(supercell.species),
        "parent_sites": list(supercell.labels),
        "positions": (supercell.points if supercell.parent.finite else supercell.positions).tolist(),
        "inputs": [
            {
                "name": block.name,
                "irrep": str(block.irrep),
                "normalised": None if (field := discovery.learned_fields.get(block.name)) is None else field.tolist(),
                "raw": discovery.fit.inputs[block.name].tolist(),
            }
            for block in discovery.blocks
        ],
    }
