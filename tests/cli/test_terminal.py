"""What the terminal shows: help with examples, 80 columns, colour where it belongs, completion, demo and pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import typer
from orderparam_cli.main import app

from orderparam.report import figures, scene
from orderparam.report.figures import export

ROOT = Path(__file__).parents[2]
STRUCTURES = ROOT / "structures"
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
PAIR = [STRUCTURES / f"perovskite/SrTiO3_{n}.cif" for n in (221, 140)]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_and_fits(program, command):
    outcome = program(command, "--help")
    assert outcome.code == 0
    assert "For example:" in outcome.out
    assert f"orderparam {command}" in outcome.out.split("For example:")[1]
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "\x1b[" not in outcome.out


@pytest.mark.parametrize(
    "arguments", [["modes", *PAIR], ["subgroups", *PAIR], ["domains", *PAIR], ["symmetry", PAIR[1]]]
)
def test_tables_fit_80_columns_without_colour(program, arguments):
    out = program(*arguments).out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b[" not in out


def on_a_terminal(arguments: list[object], **environment: str) -> str:
    """Return what a command writes to a pseudo-terminal."""
    pty = pytest.importorskip("pty")
    head, tail = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    command = [sys.executable, "-m", "orderparam_cli.main", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=tail, stderr=tail, env=clean | {"TERM": "xterm-256color"} | environment, cwd=ROOT
    )
    os.close(tail)
    shown = b""
    while True:
        try:
            part = os.read(head, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    process.wait()
    os.close(head)
    return shown.decode(errors="replace")


def test_colour_on_a_terminal_and_not_with_no_color():
    assert "\x1b[1m" in on_a_terminal(["symmetry", PAIR[1]])
    shown = on_a_terminal(["symmetry", PAIR[1]], NO_COLOR="1")
    assert "I4/mcm" in shown
    assert not [code for code in range(30, 48) if f"\x1b[{code}m" in shown or f";{code}m" in shown]


def test_completion_is_offered(program):
    assert "--install-completion" in program("--help").out
    done = subprocess.run(
        [sys.executable, "-c", "from orderparam_cli.main import app; app(prog_name='orderparam')"],
        env=os.environ | {"_ORDERPARAM_COMPLETE": "complete_bash", "COMP_WORDS": "orderparam sub", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout.split() == ["subgroups"], (done.stdout, done.stderr)


def test_the_demo_runs_the_shipped_example(program, tmp_path, monkeypatch):
    for name in ("LaMnO3_221.cif", "LaMnO3_62.cif"):
        shipped = files("orderparam") / "data/demo" / name
        assert shipped.read_bytes() == (STRUCTURES / "perovskite" / name).read_bytes()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    outcome = program("demo", "--out", "shown")
    assert outcome.code == 0, outcome.err
    assert "R4+" in outcome.out
    assert "Open shown.html in a browser" in outcome.out
    page = (tmp_path / "shown.html").read_text()
    assert len(page) <= 7e6
    assert "LaMnO3: Pm-3m (221) → Pnma (62)" in page
    # a run gives its page again
    outcome = program("report", "shown", "--html", "again.html")
    assert outcome.code == 0, outcome.err
    again = (tmp_path / "again.html").read_text()
    assert len(again) == pytest.approx(len(page), rel=0.01)
    assert "orderparam fit" in again


@pytest.fixture
def run_folder(program, tmp_path) -> Path:
    assert program("fit", *PAIR, "--out", tmp_path / "run", "--quiet").code == 0
    return tmp_path / "run"


def test_bad_runs_and_pages(refused, run_folder, tmp_path, monkeypatch):
    assert "no such folder" in refused("report", tmp_path / "nowhere")
    (tmp_path / "blocked.html").mkdir()
    assert "is a folder" in refused("report", run_folder, "--html", tmp_path / "blocked.html")
    (tmp_path / "file").write_text("")
    message = refused("modes", *PAIR, "--html", tmp_path / "file/page.html")
    assert "cannot be written" in message
    assert "this would overwrite an input" in refused("modes", *PAIR, "--html", PAIR[1])
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    assert "kaleido" in refused("report", run_folder, "--pictures", tmp_path / "pictures")
    assert ".png, .svg or .pdf" in refused("report", run_folder, "--pictures", tmp_path / "p", "--format", "gif")
    record = json.loads((run_folder / "drawing.json").read_text())
    (run_folder / "drawing.json").write_text(json.dumps(record | {"version": 99}))
    assert "version 99" in refused("report", run_folder)
    (run_folder / "drawing.json").write_text("{")
    assert "cannot be read as JSON" in refused("report", run_folder)
    (run_folder / "drawing.json").unlink()
    (run_folder / "inputs.json").unlink()
    message = refused("report", run_folder)
    assert "drawing.json, inputs.json missing" in message
    assert not list(tmp_path.glob("run.html"))


def test_a_structure_too_large_to_draw(program, tmp_path, monkeypatch):
    page = tmp_path / "page.html"
    whole = program("modes", *PAIR, "--html", page)
    assert "too many to draw" not in whole.err + page.read_text()
    monkeypatch.setattr(scene, "MOST_ANCHORS", 30)
    outcome = program("modes", *PAIR, "--html", page)
    assert outcome.code == 0
    assert "warning: the cell has 10 atoms, too many to draw: " in outcome.err
    assert "copies far from its centre are left out of the picture" in outcome.err
    text = page.read_text()
    assert "The cell has 10 atoms, too many to draw" in text
    assert "Table of the 10 atoms" in text


def test_pages_take_one_crystal(program):
    assert program("modes", PAIR[0], PAIR[1], PAIR[1], "--html", "x.html").code == 2


def test_pictures_need_kaleido(monkeypatch, tmp_path):
    figure = figures.necessity({"necessity": []})
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install 'orderparam\\[images\\]'"):
        figures.write_figure(figure, tmp_path / "x.png")
    with pytest.raises(ValueError, match="expected a name ending in"):
        figures.write_figure(figure, tmp_path / "x.tiff")
    monkeypatch.setattr(export, "find_spec", lambda name: True)
    monkeypatch.setattr(type(figure), "to_image", lambda self, **_: (_ for _ in ()).throw(RuntimeError("no browser")))
    with pytest.raises(ValueError, match="no browser"):
        figures.write_figure(figure, tmp_path / "x.svg")
    monkeypatch.setattr(type(figure), "to_image", lambda self, **_: b"drawn")
    figures.write_figure(figure, tmp_path / "deep/x.svg")
    assert (tmp_path / "deep/x.svg").read_bytes() == b"drawn"
