"""The structure that can be moved: its figure, its fields, and the controls that compose them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orderparam.report.figures.glyphs import Glyphs, learned_glyphs
from orderparam.report.figures.structure import ARROW_SCALE, atom_texts, drawn_radius
from orderparam.report.scene import Part, Scene, build_scene, element
from orderparam.wording import counted

from .document import Document
from .markup import Html, packed, table, tag, together

SHOWN_ATOMS = 4000
"""The table of atoms has so many rows."""


def viewer(
    page: Document,
    drawing: Mapping[str, Any],
    *,
    inputs: Sequence[Mapping[str, Any]] = (),
    states: Sequence[Mapping[str, Any]] = (),
    start: int = 0,
) -> Html:
    """Return a viewer: order parameters with sliders (an additive drawing), states to choose from, or both.

    Parameters
    ----------
    page : Document
    drawing : dict
        A drawing record; where it is not additive its parts are the states.
    inputs : sequence of dict
        Learned fields on the atoms of the drawing.
    states : sequence of dict
        Further structures on the same atoms.
    start : int
        The state shown first, where there are no order parameters.
    """
    scene = build_scene(drawing)
    others = build_scene({**drawing, "parts": list(states), "additive": False}).parts if states else ()
    parts, choices = (scene.parts, others) if scene.additive else ((), scene.parts)
    data = _scene_json(scene, parts, choices, inputs) | {"state": start, "path": 1, "hidden": ["input"]}
    names = list(dict.fromkeys(str(field["name"]) for field in inputs))
    controls = tag("div", *_controls(scene, parts, choices, names, start), class_="controls")
    warning = (
        tag("p", f"{scene.left_out[0].upper()}{scene.left_out[1:]}.", class_="warning") if scene.left_out else None
    )
    return together([warning, _canvas(page, data, scene, controls), atoms_table(scene)])


def learned_viewer(page: Document, drawing: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> Html:
    """Return a viewer of learned fields on the atoms of the parent, which are small."""
    scene = build_scene(drawing)
    data = _scene_json(scene, scene.parts, (), inputs, size=0.55)
    return _canvas(page, data | {"state": 0, "path": 0, "hidden": ["polyhedra", "arrows", "fixed"]}, scene, None)


def _scene_json(
    scene: Scene,
    parts: Sequence[Part],
    states: Sequence[Part],
    inputs: Sequence[Mapping[str, Any]],
    size: float = 1.0,
) -> dict[str, Any]:
    kinds = list(dict.fromkeys(scene.species))
    return {
        "n_atoms": len(scene.species),
        "places": packed(scene.places),
        "atoms": packed(scene.atoms),
        "texts": atom_texts(scene),
        "kinds": [{"name": k, "colour": element(k).colour, "radius": size * drawn_radius(k)} for k in kinds],
        "kind": packed(np.array([kinds.index(k) for k in scene.species])),
        "bonds": packed(scene.bonds),
        "faces": [{"colour": element(k).colour, "triangles": packed(f)} for k, f in scene.faces.items()],
        "glyphs": [_glyph_json(found) for field in inputs for found in learned_glyphs(scene, field)],
        "cell": scene.cell.tolist(),
        "origin": scene.cell_origin.tolist(),
        "parent_cell": scene.parent_cell.tolist(),
        "parent_origin": scene.parent_origin.tolist(),
        "parts": [_part_json(p) for p in parts],
        "states": [_part_json(p) for p in states],
        "scale": ARROW_SCALE,
    }


def _glyph_json(found: Glyphs) -> dict[str, Any]:
    return {
        "name": found.name,
        "colour": found.colour,
        "anchors": packed(found.anchors),
        "offsets": packed(found.offsets),
        "triangles": packed(found.triangles),
    }


def _canvas(page: Document, data: dict[str, Any], scene: Scene, controls: Html | None) -> Html:
    told = (
        f"The structure in three dimensions: {counted(len(scene.atoms), 'atom')}, {counted(len(scene.bonds), 'bond')}, "
        f"polyhedra around "
        f"{', '.join(scene.faces) or 'no atom'}. Drag or arrow keys turn it, the wheel or + and - zoom."
    )
    chips = [
        tag("span", tag("i", style=f"background:{element(kind).colour}"), f" {kind} ")
        for kind in dict.fromkeys(scene.species)
    ]
    inside = [
        tag("canvas", role="img", aria_label=told, tabindex="0"),
        *(tag("span", name, class_="axis", aria_hidden="true") for name in "abc"),
        tag("div", class_="tip", hidden=True, role="status"),
        tag("p", class_="failed warning", hidden=True),
        tag("div", *chips, class_="chips"),
        tag("button", "Save picture", type="button", class_="save", data_save=True),
    ]
    kind = "viewer" if controls else "viewer plain"
    paper = tag("p", class_="paper note") if controls else None
    return tag("div", tag("div", *inside, class_="stage"), controls, paper, class_=kind, data_scene=page.data(data))


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "label": part.label,
        "kind": part.kind,
        "amplitude": part.amplitude,
        "field": packed(part.field) if part.field.any() else None,
        "strain": part.strain.ravel().tolist() if part.strain.any() else None,
    }


# --- controls -------------------------------------------------------------------------------------------------------


def _controls(
    scene: Scene, parts: Sequence[Part], states: Sequence[Part], inputs: Sequence[str], start: int
) -> list[Html | None]:
    buttons = [
        tag("button", "Parent", type="button", data_parent=True),
        " ",
        tag("button", "Play", type="button", data_play=True),
        " ",
        tag("button", "Child" if parts else "Distorted", type="button", data_child=True),
        " ",
        tag("button", "Reset", type="button", data_reset=True) if parts else None,
    ]
    path = _slider("from parent to child", "path", "100 %", (0, 1, 1, 0.01))
    found = [tag("fieldset", tag("legend", "Path"), *buttons, path)]
    if states:
        listed = [tag("option", "composed of the order parameters", value=-1)] if parts else []
        listed += [tag("option", s.label, value=i, selected=not parts and i == start) for i, s in enumerate(states)]
        choice = tag("label", "structure shown ", tag("select", *listed, data_states=True))
        found.append(tag("fieldset", tag("legend", "Structure"), choice))
    if parts:
        sliders = [
            _slider(p.label, "part", "", (-1.5, 1.5, 1, 0.01), number=i, small=_small(p)) for i, p in enumerate(parts)
        ]
        told = tag("p", "As of each order parameter; the child's is at 1.", class_="note")
        found.append(tag("fieldset", tag("legend", "Order parameters"), told, *sliders))
    found.append(tag("fieldset", tag("legend", "Show"), *_checks(scene, inputs)))
    return [*found]


def _checks(scene: Scene, inputs: Sequence[str]) -> list[Html]:
    roles = [("polyhedra", "polyhedra", bool(scene.faces)), ("bonds", "bonds", len(scene.bonds) > 0)]
    roles += [("fixed", "parent's cell", True), ("arrows", "displacements", True)]
    checks = [
        tag("label", tag("input", type="checkbox", data_role=role, checked=True), f" {name}", class_="check")
        for role, name, there in roles
        if there
    ]
    checks.append(_slider("arrows longer by", "scale", f"× {ARROW_SCALE:g}", (1, 20, ARROW_SCALE, 0.5)))
    for name in inputs:
        box = tag("input", type="checkbox", data_role="input", data_input=name)
        checks.append(tag("label", box, f" learned {name}", class_="check"))
    return checks


def _small(part: Part) -> str:
    return ("primary, " if part.primary else "") + part.detail


def _slider(
    name: str, kind: str, value: str, span: tuple[float, float, float, float], *, number: int | None = None,
    small: str = "",
) -> Html:  # fmt: skip
    """Return a slider over (lowest, highest, start, step)."""
    low, high, start, step = span
    data = {f"data_{kind}": True if number is None else number}
    box = tag("input", type="range", min=low, max=high, value=start, step=step, aria_label=name, **data)
    head = [tag("span", name, tag("br") if small else None, tag("small", small) if small else None)]
    return tag("div", *head, tag("output", value, **data), box, class_="slider")


def atoms_table(scene: Scene) -> Html:
    """Return all atoms with their places in the reference and their displacements."""
    field, _ = scene.moved()
    places = scene.positions @ scene.lattice
    rows = [
        (label, kind, *(f"{v + 0.0:.4f}" for v in np.round([*place, *u], 4)))
        for label, kind, place, u in zip(scene.labels, scene.species, places, field, strict=True)
    ]
    columns = ("site", "species", "x", "y", "z", "u_x", "u_y", "u_z")
    told = "Cartesian, Å, in the parent's frame; x y z: the parent, u: displacement to the structure shown first"
    rest = len(rows) - SHOWN_ATOMS
    more = tag("p", f"{rest} more: --json FILE has all", class_="note") if rest > 0 else None
    return tag(
        "details",
        tag("summary", f"Table of the {counted(len(rows), 'atom')}"),
        table(columns, rows[:SHOWN_ATOMS], caption=told, numbers=range(2, 8)),
        more,
    )
