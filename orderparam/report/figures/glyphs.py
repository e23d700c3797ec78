"""Learned inputs as shapes on their atoms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from orderparam.o3 import Irrep
from orderparam.report.scene import Scene

from .meshes import Mesh, arrow, circulation, harmonic_surface, sphere
from .style import BLUE, GREEN, ORANGE, plain

LARGEST = 1.15
"""Size of the largest value, angstrom."""

FEW = 14
"""Surfaces of up to so many atoms have 1280 faces; beyond 320."""


@dataclass(frozen=True, eq=False)
class Glyphs:
    """All shapes of one colour that one learned field consists of.

    Attributes
    ----------
    name, colour, sign : str
    anchors : (v,) int
        Anchor of the scene that every vertex hangs on.
    offsets : (v, 3)
        From the anchor to the vertex, angstrom.
    triangles : (t, 3) int
    """

    name: str
    colour: str
    sign: str
    anchors: np.ndarray
    offsets: np.ndarray
    triangles: np.ndarray


def values_of(field: Mapping[str, Any]) -> np.ndarray:
    """Return the values (n, 2 l + 1) of a learned field as ``inputs.json`` holds it, scaled where they can be."""
    return np.array(field["normalised"] if field["normalised"] is not None else field["raw"], float)


def learned_glyphs(scene: Scene, field: Mapping[str, Any]) -> list[Glyphs]:
    """Return the shapes of a learned field, one per colour.

    A pseudovector (1e) is an arrow that circulates, a vector (1o) a straight one, a scalar a sphere; everything else is
    the surface of its spherical harmonics. Orange is positive, blue negative.
    """
    irrep, values = Irrep.parse(str(field["irrep"])), values_of(field)
    sizes = np.linalg.norm(values, axis=1)
    largest = sizes.max(initial=0.0)
    if not largest > 0:
        return []
    drawn = np.flatnonzero(sizes[scene.atoms] > 1e-3 * largest)
    level = 3 if len(drawn) <= FEW else 2
    groups: dict[tuple[str, str], list[tuple[int, Mesh]]] = {}
    for a in drawn.tolist():
        size = max(LARGEST * sizes[scene.atoms[a]] / largest, 0.15)
        for mesh, colour, sign in _shape(irrep, values[scene.atoms[a]], size, level):
            groups.setdefault((colour, sign), []).append((a, mesh))
    return [_gathered(str(field["name"]), *key, found) for key, found in groups.items()]


def _gathered(name: str, colour: str, sign: str, found: list[tuple[int, Mesh]]) -> Glyphs:
    counts = [len(mesh.vertices) for _, mesh in found]
    starts = np.cumsum([0, *counts[:-1]])
    return Glyphs(
        name,
        colour,
        sign,
        np.repeat([a for a, _ in found], counts),
        np.concatenate([mesh.vertices for _, mesh in found]),
        np.concatenate([mesh.triangles + start for (_, mesh), start in zip(found, starts, strict=True)]),
    )


def _shape(irrep: Irrep, value: np.ndarray, size: float, level: int) -> list[tuple[Mesh, str, str]]:
    """Return the meshes of one value with their colours and signs."""
    if irrep.l == 0:
        ball = sphere(level - 1)
        colour, sign = (ORANGE, " +") if value[0] > 0 else (BLUE, " −")
        return [(Mesh(0.6 * size * ball.vertices, ball.triangles), colour, sign)]
    if irrep.l == 1 and irrep.parity == 1:
        return [(circulation(value, 0.75 * size, 0.11 * max(size, 0.5)), GREEN, "")]
    if irrep.l == 1:
        return [(arrow(2 * size * value / np.linalg.norm(value), 0.09), GREEN, "")]
    positive, negative = harmonic_surface(irrep, value, size, level)
    lobes = ((positive, ORANGE, " +"), (negative, BLUE, " −"))
    return [lobe for lobe in lobes if len(lobe[0].vertices)]


def glyph_text(scene: Scene, field: Mapping[str, Any], atom: int) -> str:
    """Return what is shown when the pointer is on the shape of an atom."""
    numbers = ", ".join(f"{v + 0.0:.3f}" for v in np.round(values_of(field)[atom], 3))
    return f"{plain(scene.labels[atom])}: {field['irrep']} ({numbers})"
