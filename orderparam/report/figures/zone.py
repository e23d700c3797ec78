"""The Brillouin zone of the parent with the wave vectors of the order parameters."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import BLACK, GREY, SERIES, plain, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go


def brillouin_zone(drawing: Mapping[str, Any], *, height: int = 420) -> go.Figure:
    """Draw the first Brillouin zone of the parent, the stars of the order parameters, and the active arms filled.

    Parameters
    ----------
    drawing : dict
        A drawing record (`orderparam.records.drawing_record`).
    """
    import plotly.graph_objects as go

    reciprocal = np.linalg.inv(np.array(drawing["parent_primitive"], float)).T
    figure = go.Figure(_edges(reciprocal))
    figure.add_traces(_axes(np.linalg.inv(np.array(drawing["parent_cell"], float)).T, reciprocal))
    by_point: dict[str, list[Mapping[str, Any]]] = {}
    for wave in drawing["wave_vectors"]:
        if wave["active"]:
            by_point.setdefault(wave["k_label"], []).append(wave)
    for number, (name, waves) in enumerate(by_point.items()):
        figure.add_traces(_points(name, waves, reciprocal, SERIES[number % len(SERIES)]))
    axis = {"visible": False, "showspikes": False}
    scene = {f"{name}axis": axis for name in "xyz"}
    camera = {"projection": {"type": "orthographic"}, "eye": {"x": 1.1, "y": 1.6, "z": 0.8}}
    return styled(
        figure,
        height=height,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        scene=scene | {"aspectmode": "data", "camera": camera},
        legend={"x": 0, "y": 1},
    )


def zone_facets(reciprocal: np.ndarray) -> list[np.ndarray]:
    """Return the polygons (n, 3) that bound the first Brillouin zone of a reciprocal lattice (rows)."""
    from scipy.spatial import Voronoi

    steps = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    points = steps @ reciprocal
    middle = int(np.flatnonzero((steps == 0).all(axis=1))[0])
    diagram = Voronoi(points)
    return [
        diagram.vertices[ridge]
        for pair, ridge in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True)
        if middle in pair and -1 not in ridge
    ]


def shortest_copies(k: np.ndarray, reciprocal: np.ndarray) -> np.ndarray:
    """Return all shortest vectors (m, 3), Cartesian, that equal k modulo the reciprocal lattice."""
    steps = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), -1).reshape(-1, 3)
    copies = (np.asarray(k) + steps) @ reciprocal
    lengths = np.linalg.norm(copies, axis=1)
    return copies[lengths < lengths.min() + 1e-6]


def _edges(reciprocal: np.ndarray) -> list[Any]:
    import plotly.graph_objects as go

    gap = np.full((1, 3), np.nan)
    lines = np.concatenate([np.concatenate([f, f[:1], gap]) for f in zone_facets(reciprocal)])
    x, y, z = lines.T
    line = {"color": BLACK, "width": 3}
    return [go.Scatter3d(x=x, y=y, z=z, mode="lines", line=line, hoverinfo="skip", showlegend=False)]


def _axes(conventional: np.ndarray, reciprocal: np.ndarray) -> list[Any]:
    """Draw the axes of the conventional reciprocal cell as short lines with names."""
    import plotly.graph_objects as go

    length = 0.75 * np.linalg.norm(reciprocal, axis=1).max()
    found = []
    for row, name in zip(conventional, ("a*", "b*", "c*"), strict=True):
        x, y, z = np.array([np.zeros(3), length * row / np.linalg.norm(row)]).T
        found.append(
            go.Scatter3d(x=x, y=y, z=z, mode="lines+text", text=["Γ" if name == "a*" else "", name], hoverinfo="skip",
                         line={"color": GREY, "width": 3}, showlegend=False)
        )  # fmt: skip
    return found


def _points(name: str, waves: list[Mapping[str, Any]], reciprocal: np.ndarray, colour: str) -> list[Any]:
    """Draw the arms of one star: active ones filled, the others hollow."""
    active = np.unique(np.round(np.concatenate([np.array(w["active"]) for w in waves]), 6), axis=0)
    labels = plain(", ".join(dict.fromkeys(w["label"] for w in waves)))
    conventional = np.array(
        [w for wave in waves for w in wave["active_conventional"]]
    )  # the same arms, as people read them
    told = "; ".join(dict.fromkeys(_fractions(row) for row in conventional))
    filled = np.concatenate([shortest_copies(k, reciprocal) for k in active])
    star = [k for k in waves[0]["star"] if not _among(np.array(k), active)]
    traces = [_marks(filled, f"{plain(name)}: {labels}", f"{plain(name)} {told}<br>{labels}", colour, "circle")]
    if star:
        hollow = np.concatenate([shortest_copies(np.array(k), reciprocal) for k in star])
        traces.append(_marks(hollow, f"{plain(name)}, arms not active", f"{plain(name)}, not active", colour,
                             "circle-open"))  # fmt: skip
    return traces


def _marks(places: np.ndarray, name: str, hover: str, colour: str, symbol: str) -> Any:
    import plotly.graph_objects as go

    x, y, z = places.T
    return go.Scatter3d(
        x=x, y=y, z=z, mode="markers", name=name, marker={"size": 8, "color": colour, "symbol": symbol},
        text=[hover] * len(places), hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _among(k: np.ndarray, arms: np.ndarray) -> bool:
    gaps = np.concatenate([arms - k, arms + k])
    return bool((np.abs(gaps - np.rint(gaps)) < 1e-5).all(axis=1).any())


def _fractions(k: np.ndarray) -> str:
    return ",".join(str(Fraction(float(v)).limit_denominator(100)) for v in k)
