"""Every tutorial is one text in two files, and runs to its end, where its result is asserted."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
import pytest
from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor

TUTORIALS = Path(__file__).parents[2] / "tutorials"
EXECUTED = TUTORIALS.parent / "docs" / "_cache" / "tutorials"
"""Executed copies go here, so that the documentation need not run them again."""

SCRIPTS = sorted(TUTORIALS.glob("*.py"))


def cells(path: Path) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


@pytest.fixture(autouse=True)
def _figures_as_data(monkeypatch) -> None:
    """Keep plotly itself (5 MB) out of every executed notebook; the documentation holds it once."""
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")


def execute(notebook: nbformat.NotebookNode) -> None:
    ExecutePreprocessor(timeout=300, kernel_name="python3").preprocess(notebook, {"metadata": {"path": str(TUTORIALS)}})


def test_there_are_tutorials() -> None:
    assert SCRIPTS
    assert {p.stem for p in SCRIPTS} == {p.stem for p in TUTORIALS.glob("*.ipynb")}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_script_and_notebook_are_in_step(script: Path) -> None:
    assert cells(script) == cells(script.with_suffix(".ipynb")), f"run: jupytext --sync {script}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_notebook_runs(script: Path) -> None:
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    execute(notebook)
    EXECUTED.mkdir(parents=True, exist_ok=True)
    partial = EXECUTED / f"{script.stem}.part"
    partial.write_text(nbformat.writes(notebook), encoding="utf-8")
    partial.replace(EXECUTED / f"{script.stem}.ipynb")


def test_a_wrong_result_would_be_noticed() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert False")])
    with pytest.raises(CellExecutionError):
        execute(notebook)
