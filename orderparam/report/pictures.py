"""All figures of a run as picture files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import figures
from .scene import build_scene

if TYPE_CHECKING:
    import plotly.graph_objects as go


def run_figures(
    result: Mapping[str, Any], drawing: Mapping[str, Any], inputs: Mapping[str, Any]
) -> dict[str, Callable[[], go.Figure]]:
    """Return every figure of a run by name, made when it is called."""
    scene = build_scene(drawing)
    parent = [0.0] * len(scene.parts)
    found: dict[str, Callable[[], go.Figure]] = {
        "parent": lambda: figures.structure(scene, weights=parent, arrows=False),
        "child": lambda: figures.structure(scene),
        "learned": lambda: figures.learned(scene, inputs["inputs"]),
        "amplitudes": lambda: figures.amplitudes(result),
        "strain": lambda: figures.strains(result),
        "gradient": lambda: figures.gradient(result),
        "convergence": lambda: figures.convergence(result),
        "necessity": lambda: figures.necessity(result),
        "carriers": lambda: figures.carriers(result["carriers"]),
        "brillouin_zone": lambda: figures.brillouin_zone(drawing),
    }
    if "subgroups" in drawing:
        found["subgroups"] = lambda: figures.subgroup_tree(drawing["subgroups"])
        found["reflections"] = lambda: figures.reflections(drawing["reflections"])
    return found


def write_pictures(
    result: Mapping[str, Any], drawing: Mapping[str, Any], inputs: Mapping[str, Any], folder: Path, suffix: str
) -> list[Path]:
    """Write every figure of a run as a picture, and return the files.

    Raises
    ------
    InvalidInputError
        When the format is unknown, kaleido is missing, or the folder cannot be written to.
    """
    figures.check_export(f"picture.{suffix}")
    written = []
    for name, make in run_figures(result, drawing, inputs).items():
        path = folder / f"{name}.{suffix}"
        figures.write_figure(make(), path)
        written.append(path)
    return written
