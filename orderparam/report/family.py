"""What a fit of many children prints and leaves behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystals.crystal import numbered
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.familyfit import FAMILY_SYMPREC
from orderparam.records import to_json
from orderparam.records.model import MODEL_FILE, family_model_record
from orderparam.wording import counted

from .folder import check_folder, fill_folder
from .layout import plain_table

if TYPE_CHECKING:
    from orderparam.discovery.familyfit import FamilyResult

PREDICTED = ".predicted.cif"
LONGEST_NAME = 20


def is_family_file(name: str) -> bool:
    """Tell whether a run of many children writes a file of this name."""
    return name in {"result.json", "weights.safetensors", "model.json"} or name.endswith(PREDICTED)


def check_family_folder(folder: Path, *, force: bool) -> None:
    """Refuse a folder that cannot be used; see `folder.check_folder`."""
    check_folder(folder, force=force, own=is_family_file)


def write_family_folder(result: FamilyResult, record: dict[str, Any], folder: Path, *, force: bool = False) -> None:
    """Write result.json, model.json, the weights and NAME.predicted.cif of every child; all of them or none.

    Raises
    ------
    InvalidInputError
        When the folder holds other files (unless `force`) or cannot be written.
    """

    def write(place: Path) -> None:
        for name, content in {"result.json": record, MODEL_FILE: family_model_record(result)}.items():
            (place / name).write_text(to_json(content), encoding="utf-8")
        for child in result.children:
            predicted = result.predict_member(result.family[child.name]).crystal()
            crystal = replace(predicted, labels=numbered(predicted.species))
            text = crystal_to_cif(crystal, symprec=FAMILY_SYMPREC) if child.group_is_kept else crystal_to_cif(crystal)
            (place / f"{child.name}{PREDICTED}").write_text(text, encoding="utf-8")
        weights = place / "weights.safetensors"
        result.fit.network.save(weights)
        weights.chmod(0o644)  # safetensors keeps its files to their owner

    fill_folder(folder, write, force=force, own=is_family_file)


def family_report(result: FamilyResult, folder: Path) -> RenderableType:
    """Return the children, what was met of each, and what the others say of it."""
    family, fit = result.family, result.fit
    parts: list[RenderableType] = [
        Text(
            f"{len(family.members)} children of {family.parent.crystal.formula} "
            f"{family.parent.group.symbol} ({family.parent.group.number}), inputs "
            f"{', '.join(given.label for given in family.inputs)} on {family.carrier.name}"
        ),
        Text(),
        children_table(result),
    ]
    if result.leave_one_out:
        parts += [leave_one_out_table(result)]
    met = "met" if fit.converged else "smoothed" if fit.ridge else "not met"
    worst = max(result.children, key=lambda child: child.residual_max)
    parts += [
        Text(
            f"Fit: {fit.network.architecture}, {counted(fit.iterations, 'step')}; all children {met}, at most "
            f"{worst.residual_max:.1e} angstrom off ({worst.name})"
        ),
        Text(f"Written to {folder}: result.json, NAME{PREDICTED}, model.json, weights.safetensors"),
    ]
    return Group(*parts)


def children_table(result: FamilyResult) -> RenderableType:
    """Return one line per child: group, amplitudes, what the network misses, group of the prediction."""
    labels = [given.label for given in result.family.inputs]
    rows = []
    for child in result.children:
        member = result.family[child.name]
        amplitudes = [f"{(member.components[label] ** 2).sum() ** 0.5:.4f}" for label in labels[:3]]
        number, symbol = member.distortion.group.space_group
        predicted = "none" if child.space_group is None else str(child.space_group[0])
        errors = [f"{child.residual_max:.1e}", f"{child.strain_residual:.1e}"]
        rows.append([_short(child.name), f"{symbol} ({number})", *amplitudes, *errors, predicted])
    columns = ["child", "space group", *(f"Ap {label}" for label in labels[:3]), "off by", "strain", "predicted"]
    return plain_table("Children (angstrom)", columns, rows, right=range(2, len(columns)))


def leave_one_out_table(result: FamilyResult) -> RenderableType:
    """Return what the other children say of each, from its order parameters alone."""
    rows = [
        [_short(found.name)]
        + [text for pair in (found.network, found.linear_modes, found.power_law) for text in map(_size, pair)]
        for found in result.leave_one_out
    ]
    columns = ["child", "network", "strain", "linear", "strain", "power law", "strain"]
    title = "Left out and predicted from its order parameters: largest error of an atom (angstrom) and of the strain"
    return plain_table(title, columns, rows, right=range(1, 7))


def _size(value: float) -> str:
    return f"{value:.4f}" if value >= 1e-4 else f"{value:.0e}" if value > 1e-9 else "0"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."
