"""The documentation covers every command, and its links are checked."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from orderparam_cli.main import app
from typer.main import get_command

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
COMMANDS = sorted(get_command(app).commands)


def listed(index: Path) -> set[str]:
    """Return the entries of the tables of contents of a page."""
    blocks = re.findall(r"```\{toctree\}(.*?)```", index.read_text(), re.DOTALL)
    return {line for block in blocks for line in block.splitlines() if line and not line.startswith(":")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page_that_runs_it(command: str) -> None:
    page = DOCS / "howto" / f"{command}.md"
    assert page.exists(), f"write docs/howto/{command}.md (docs/howto/symmetry.md is a short example)"
    text = page.read_text()
    assert re.search(rf"^(```\{{run\}} )?orderparam {command}\b", text, re.MULTILINE), "no {run} block with the command"
    assert f"```{{options}} {command}\n" in text
    assert command in listed(DOCS / "howto" / "index.md")


def test_every_schema_is_explained() -> None:
    shown = set(re.findall(r"```\{fields\} (\w+)", "".join(p.read_text() for p in DOCS.glob("howto/*.md"))))
    assert shown == {path.stem for path in ROOT.glob("orderparam/data/schemas/*.json")}


def test_no_page_is_forgotten() -> None:
    for folder in ("howto", "concepts", "theory"):
        assert listed(DOCS / folder / "index.md") == {p.stem for p in (DOCS / folder).glob("*.md")} - {"index"}


def test_stored_results_of_crystod_are_of_the_shipped_pairs() -> None:
    path = DOCS / "data" / "crystod.json"
    pairs = json.loads((ROOT / "tests" / "tables" / "pairs.json").read_text())
    assert set(json.loads(path.read_text())["pairs"]) == {pair["name"] for pair in pairs}, "run scripts/ask_crystod.py"


def test_broken_links_are_noticed(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    sys.path.insert(0, str(DOCS / "_ext"))
    from orderparam_docs.links import broken_links

    (tmp_path / "a.html").write_text('<h1 id="top"></h1><a href="b.html#here"></a><a href="https://x.org/y"></a>')
    (tmp_path / "b.html").write_text('<p id="here"><a href="a.html"></a><a href="#here"></a></p>')
    assert broken_links(tmp_path) == []
    (tmp_path / "b.html").write_text('<a href="c.html"></a>')
    assert broken_links(tmp_path) == ["a.html: b.html#here: no such anchor", "b.html: c.html: no such file"]
