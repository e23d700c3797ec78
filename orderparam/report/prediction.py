"""The report of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.wording import counted

from .layout import bold_heading, named_values, plain_table

SHOWN = (0.25, 0.5, 0.75)
"""Parts of a path that its table shows, beside the end."""


def prediction_report(record: dict[str, Any]) -> RenderableType:
    """Return a prediction as text, from its record."""
    (image,) = record["images"]
    group = image["space_group"]
    given = "; ".join(f"{i['label']} ({', '.join(f'{v:.4g}' for v in i['components'])})" for i in record["inputs"])
    facts = [
        ("order parameter", f"{given}  (Ap, angstrom)"),
        ("structure", f"{group['symbol']} ({group['number']}), {image['atoms']} atoms"),
        ("displacement", f"largest {image['max_displacement']:.4f} angstrom"),
    ]
    primary = {i["label"] for i in record["inputs"]}
    rows = [
        ("*" if i["label"] in primary else "", i["label"], i["direction"], f"{i['amplitude_supercell']:.4f}",
         f"{i['amplitude_parent']:.4f}")
        for i in image["irreps"]
    ]  # fmt: skip
    rows += [("", f"{i['label']} (strain)", "", f"{i['amplitude']:.5f}", "") for i in image["strain_irreps"]]
    columns = ("", "irrep", "direction", "As", "Ap")
    table = plain_table("What the structure holds (* as set, the others follow)", columns, rows, right=(3, 4))
    return Group(bold_heading("Prediction"), named_values(facts), Text(), table)


def path_report(record: dict[str, Any]) -> RenderableType:
    """Return a path as text, from its record: amplitudes beside the power law, and the distance to a straight line."""
    images: Sequence[dict[str, Any]] = record["images"]
    last = len(images) - 1
    shown = [images[i] for i in dict.fromkeys(round(last * part) for part in SHOWN) if 0 < i < last]
    rows = []
    for place, irrep in enumerate(images[0]["irreps"]):
        amplitudes = (i["irreps"][place] for i in shown)
        cells = [f"{a['amplitude_supercell']:.4f} {a['power_law']:.4f}" for a in amplitudes]
        whole = f"{images[-1]['irreps'][place]['amplitude_supercell']:.4f}"
        rows.append((irrep["label"], str(irrep["degree"] or ">8"), *cells, whole))
    columns = ("irrep", "power", *(f"s = {i['s']:.2g}" for i in shown), "s = 1")
    right = tuple(range(1, len(columns)))
    table = plain_table("Amplitudes (As): network, then the exact power law s^power", columns, rows, right=right)
    law, line = (max(i[key] for i in images) for key in ("from_power_law", "from_linear"))
    text = (
        f"  {counted(len(images), 'structure')}. From the power law an atom differs by at most {law:.4f} angstrom,\n"
        f"  from linear interpolation by {line:.4f}. One child cannot teach more than the\n"
        "  power law: the lowest powers only."
    )
    return Group(table, Text(text))
