"""Figures as files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from orderparam.errors import InvalidInputError

if TYPE_CHECKING:
    import plotly.graph_objects as go

FORMATS = ("png", "svg", "pdf")


def check_export(name: str) -> None:
    """Refuse a format that is unknown, or that cannot be made because kaleido is not installed.

    Raises
    ------
    InvalidInputError
    """
    suffix = Path(name).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise InvalidInputError(f"{name}: expected a name ending in .png, .svg or .pdf")
    if find_spec("kaleido") is None:
        raise InvalidInputError(
            f"{name}: pictures need kaleido, which is not installed; try pip install 'orderparam[images]', or --html, "
            "whose figures have a button that saves them"
        )


def write_figure(figure: go.Figure, path: str | Path, *, width: int = 900, scale: float = 2.0) -> None:
    """Write a figure as PNG, SVG or PDF.

    Raises
    ------
    InvalidInputError
        When the format is unknown, kaleido or its browser is missing, or the place cannot be written to.
    """
    path = Path(path)
    check_export(str(path))
    suffix = path.suffix.lower().removeprefix(".")
    try:
        with _silence("choreographer", "kaleido"):
            data = figure.to_image(format=suffix, width=width, scale=1.0 if suffix != "png" else scale)
    except Exception as problem:  # kaleido has no errors of its own: no browser, no permission, a crash
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise InvalidInputError(f"{path}: the picture could not be made ({reason[:120]})") from problem
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as problem:
        raise InvalidInputError(f"{path}: cannot be written ({problem.strerror or problem})") from problem


@contextmanager
def _silence(*packages: str) -> Iterator[None]:
    """Keep away from the terminal what packages log of their talk with a browser."""
    loggers = [logging.getLogger(name) for name in packages]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
