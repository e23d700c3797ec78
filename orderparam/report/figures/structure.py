"""A structure in three dimensions: atoms, bonds, coordination polyhedra, cells, displacements, learned inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from orderparam.report.scene import Scene, element

from .glyphs import glyph_text, learned_glyphs
from .meshes import Mesh, sphere
from .style import BLACK, BLUE, GREY, plain, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

FEW, SOME = 120, 400
"""Up to so many atoms spheres have 320 and 80 faces; beyond 20."""

SIZE = 0.34
"""Radius of an atom in units of its covalent radius."""

ARROW_SCALE = 3.0
_LIGHT = {"ambient": 0.5, "diffuse": 0.6, "specular": 0.15, "roughness": 0.5, "fresnel": 0.05}
_LAMP = {"x": -100_000, "y": 100_000, "z": -100_000}  # beside the reader: plotly turns it with the view


def structure(
    scene: Scene,
    *,
    weights: Sequence[float] | None = None,
    arrows: bool = True,
    scale: float = ARROW_SCALE,
    inputs: Sequence[Mapping[str, Any]] = (),
    polyhedra: bool = True,
    height: int = 560,
) -> go.Figure:
    """Draw a structure.

    Parameters
    ----------
    scene : Scene
    weights : sequence of float, optional
        One per part: 0 is the parent, 1 the child. Default: the child.
    arrows : bool
        Draw the displacements from the parent, `scale` times as long.
    inputs : sequence of dict
        Learned fields as ``inputs.json`` holds them (name, irrep, values per atom); drawn on their atoms.
    polyhedra : bool
        Draw the coordination polyhedra.
    """
    import plotly.graph_objects as go

    places = scene.anchored(weights)
    figure = go.Figure()
    traces = _polyhedra(scene, places) if polyhedra else []
    traces += [*_bonds(scene, places), *_atoms(scene, places), *_cells(scene, weights)]
    if arrows:
        traces += _arrows(scene, scene.moved(weights)[0], scale)
    for field in inputs:
        traces += _inputs(scene, places, field)
    figure.add_traces(traces)
    if scene.left_out:
        figure.add_annotation(
            text=plain(scene.left_out.partition(";")[0]), x=0, y=0, xref="paper", yref="paper", showarrow=False
        )
    box = _view_box(scene)
    return styled(
        figure,
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        legend={"x": 0, "y": 1, "itemsizing": "constant", "bgcolor": "rgba(255,255,255,0.7)"},
        scene=box,
    )


def learned(scene: Scene, inputs: Sequence[Mapping[str, Any]], *, height: int = 480) -> go.Figure:
    """Draw learned fields (as in ``inputs.json``) on the atoms of the parent, which are small and pale."""
    figure = structure(
        scene, weights=[0.0] * len(scene.parts), arrows=False, polyhedra=False, inputs=inputs, height=height
    )
    return figure.update_traces(selector=lambda t: (t.meta or {}).get("role") == "atoms", opacity=0.45)


def _view_box(scene: Scene) -> dict[str, Any]:
    """Return axes without marks that hold the scene whatever it does."""
    every = np.concatenate([scene.places, scene.anchored()])
    low, high = every.min(axis=0) - 1.2, every.max(axis=0) + 1.2
    size = (high - low).max()
    axis = {"visible": False, "showspikes": False}
    spans = {f"{name}axis": axis | {"range": [float(a), float(b)]} for name, a, b in zip("xyz", low, high, strict=True)}
    ratio = {name: float(2.0 * (b - a) / size) for name, a, b in zip("xyz", low, high, strict=True)}
    eye = {"x": 1.15, "y": 1.75, "z": 0.75}
    camera = {"projection": {"type": "orthographic"}, "eye": eye, "up": {"x": 0, "y": 0, "z": 1}}
    return spans | {"aspectmode": "manual", "aspectratio": ratio, "camera": camera}


# --- the structure ----------------------------------------------------------------------------------------------------


def _mesh(mesh: Mesh, colour: str, role: str, **options: Any) -> go.Mesh3d:
    import plotly.graph_objects as go

    x, y, z = mesh.vertices.astype(np.float32).T
    i, j, k = mesh.triangles.astype(np.uint16 if len(x) < 2**16 else np.uint32).T
    return go.Mesh3d(
        x=x, y=y, z=z, i=i, j=j, k=k, color=colour, meta={"role": role}, lighting=_LIGHT, lightposition=_LAMP, **options
    )


def _lines(places: np.ndarray, role: str, **options: Any) -> go.Scatter3d:
    """Draw segments: points (n, 3) in threes, the third of each a gap."""
    import plotly.graph_objects as go

    x, y, z = places.astype(np.float32).T
    return go.Scatter3d(x=x, y=y, z=z, mode="lines", meta={"role": role}, hoverinfo="skip", showlegend=True, **options)


def _atoms(scene: Scene, places: np.ndarray) -> list[go.Mesh3d]:
    level = 2 if len(places) <= FEW else 1 if len(places) <= SOME else 0
    ball, texts, traces = sphere(level), atom_texts(scene), []
    for kind in dict.fromkeys(scene.anchor_species.tolist()):
        mine = np.flatnonzero(scene.anchor_species == kind)
        one = Mesh(drawn_radius(kind) * ball.vertices, ball.triangles)
        shown = np.repeat([plain(texts[a]) for a in scene.atoms[mine]], len(ball.vertices))
        name = plain(kind)
        traces.append(
            _mesh(one.at(places[mine]), element(kind).colour, "atoms", name=name, showlegend=True, text=shown,
                  hovertemplate="%{text}<extra></extra>")
        )  # fmt: skip
    return traces


def drawn_radius(kind: str) -> float:
    """Return the radius with which an atom is drawn, angstrom."""
    return SIZE * element(kind).radius


def atom_texts(scene: Scene) -> list[str]:
    """Return what is shown when the pointer is on an atom, one text per atom of the reference."""
    lengths = np.linalg.norm(scene.moved()[0], axis=1)
    named = zip(scene.labels, scene.species, lengths, strict=True)
    return [f"{label} ({kind}), moved by {length:.3f} Å" for label, kind, length in named]


def _bonds(scene: Scene, places: np.ndarray) -> list[go.Scatter3d]:
    if not len(scene.bonds):
        return []
    points = np.full((len(scene.bonds), 3, 3), np.nan)
    points[:, :2] = places[scene.bonds]
    return [_lines(points.reshape(-1, 3), "bonds", line={"color": "#8a8a8a", "width": 5}, name="bonds")]


def _polyhedra(scene: Scene, places: np.ndarray) -> list[go.Mesh3d]:
    traces = []
    for kind, faces in scene.faces.items():
        used, triangles = np.unique(faces, return_inverse=True)
        mesh = Mesh(places[used], triangles.reshape(-1, 3))
        name = f"{plain(kind)} polyhedra"
        traces.append(
            _mesh(mesh, element(kind).colour, "polyhedra", opacity=0.38, flatshading=True, hoverinfo="skip", name=name,
                  showlegend=True)
        )  # fmt: skip
    return traces


def cell_segments(cell: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return the twelve edges of a cell as (36, 3) points, every third a gap."""
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    ends = [(i, j) for i in range(8) for j in range(i) if np.abs(corners[i] - corners[j]).sum() == 1]
    gap = np.full(3, np.nan)
    return np.array([point for i, j in ends for point in (*(corners[[i, j]] @ cell + origin), gap)])


def _cells(scene: Scene, weights: Sequence[float] | None) -> list[go.Scatter3d]:
    """Draw the edges of the cell that is shown, which strain with it, and of the parent's cell."""
    strain = np.eye(3) + scene.moved(weights)[1]
    own, parent = cell_segments(scene.cell, scene.cell_origin), cell_segments(scene.parent_cell, scene.parent_origin)
    return [
        _lines(own @ strain, "cell", line={"color": BLACK, "width": 3}, name="cell"),
        _lines(parent, "fixed", line={"color": GREY, "width": 3}, name="parent's cell"),
    ]


def _arrows(scene: Scene, field: np.ndarray, scale: float) -> list[Any]:
    """Draw displacements (n, 3) as arrows from the parent's places, `scale` times as long."""
    import plotly.graph_objects as go

    vectors = field[scene.atoms]
    lengths = np.linalg.norm(vectors, axis=1)
    moving = np.flatnonzero(lengths > 1e-3)
    if not len(moving):
        return []
    starts, steps = scene.places[moving], scale * vectors[moving]
    points = np.stack([starts, starts + steps, np.full_like(starts, np.nan)], axis=1).reshape(-1, 3)
    name = f"displacements × {scale:g}"
    shaft = _lines(points, "arrows", line={"color": BLUE, "width": 6}, name=name, legendgroup="arrows")
    (x, y, z), (u, v, w) = (starts + steps).T, (steps / np.linalg.norm(steps, axis=1, keepdims=True)).T
    head = go.Cone(
        x=x, y=y, z=z, u=u, v=v, w=w, anchor="tip", sizemode="raw", sizeref=0.35, showscale=False,
        colorscale=[[0, BLUE], [1, BLUE]], legendgroup="arrows", meta={"role": "arrows"},
        text=[f"{length:.3f} Å" for length in lengths[moving]], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    return [shaft, head]


def _inputs(scene: Scene, places: np.ndarray, field: Mapping[str, Any]) -> list[go.Mesh3d]:
    texts = [glyph_text(scene, field, atom) for atom in range(len(scene.species))]
    traces = []
    for found in learned_glyphs(scene, field):
        mesh = Mesh(places[found.anchors] + found.offsets, found.triangles)
        shown = [texts[scene.atoms[a]] for a in found.anchors]
        name = f"learned {plain(found.name)}{found.sign}"
        traces.append(
            _mesh(mesh, found.colour, "input", name=name, showlegend=True, text=shown,
                  hovertemplate="%{text}<extra></extra>")
        )  # fmt: skip
    return traces
