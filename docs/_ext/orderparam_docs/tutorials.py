"""The tutorials with their outputs: copies that the tests have executed, or executed here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from . import cache

TUTORIALS = cache.ROOT / "tutorials"
EXECUTED = cache.STORE / "tutorials"
"""Where `tests/tutorials` leaves the notebooks that it has executed."""

TIME_LIMIT = 120

FIGURE = "application/vnd.plotly.v1+json"
PLOTLY = "plotly.min.js"
"""plotly itself, once for all pages, in the root of the site."""


def write_tutorials(folder: Path) -> None:
    """Write every tutorial with its outputs, and the list of them, into a folder of the documentation."""
    sources = sorted(TUTORIALS.glob("*.ipynb"))
    folder.mkdir(exist_ok=True)
    write_plotly(cache.FILES)
    for source in sources:
        text = nbformat.writes(with_figures(executed(source)))
        target = folder / source.name
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
    for stale in folder.glob("*.ipynb"):
        if stale.name not in {source.name for source in sources}:
            stale.unlink()
    listed = "\n".join(source.stem for source in sources)
    index = (
        "# Tutorials\n\nNotebooks that assert their results at their end. They are in `tutorials/`, to be run; "
        f"here with what they print.\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    )
    (folder / "index.md").write_text(index)


def executed(source: Path) -> nbformat.NotebookNode:
    """Return a notebook with its outputs: a copy that is newer than all sources, or a fresh execution."""
    notebook = nbformat.read(source, as_version=4)
    copy = EXECUTED / source.name
    if copy.exists() and (cache.keeps_stale() or copy.stat().st_mtime > _last_change(source)):
        known = nbformat.read(copy, as_version=4)
        if [cell.source for cell in known.cells] == [cell.source for cell in notebook.cells]:
            return known
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"  # figures as data; `with_figures` draws them
    NotebookClient(notebook, timeout=TIME_LIMIT, resources={"metadata": {"path": str(TUTORIALS)}}).execute()
    EXECUTED.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, copy)
    return notebook


def with_figures(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Turn the figures of an executed notebook, which are data, into HTML that asks for plotly in the site's root."""
    from plotly.io import from_json, to_html

    outputs = [o for cell in notebook.cells for o in cell.get("outputs", ()) if FIGURE in o.get("data", {})]
    for number, output in enumerate(outputs):
        content = {key: output.data[FIGURE][key] for key in ("data", "layout")}
        figure = from_json(json.dumps(content), skip_invalid=True)
        where = False if number else f"../{PLOTLY}"
        output.data = {
            "text/html": to_html(figure, full_html=False, include_plotlyjs=where, div_id=f"figure-{number + 1}"),
            "text/plain": "a figure",
        }
    return notebook


def write_plotly(folder: Path) -> None:
    """Write plotly's script into a folder, if it is new."""
    from plotly.offline import get_plotlyjs

    path, text = folder / PLOTLY, get_plotlyjs()
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _last_change(source: Path) -> float:
    library = (cache.ROOT / "orderparam").rglob("*.py")
    return max(path.stat().st_mtime for path in [source, *library])
