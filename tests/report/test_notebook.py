"""What nouns show in a notebook, and that asking for it is all it takes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.discovery.discover import discover
from orderparam.parent import symmetrise
from orderparam.pseudosymmetry import propose_parents
from orderparam.report.notebook import to_html
from orderparam.subgroups import find_domains, subgroup_graph

ROOT = Path(__file__).parents[2]
STRUCTURES = ROOT / "structures"


class Balanced(HTMLParser):
    """Checks that every element that opens closes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def nouns() -> dict[str, tuple[object, str]]:
    """Return every noun with something that it must say."""
    child = read_crystal(STRUCTURES / "perovskite/SrTiO3_140.cif")
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))
    analysis = analyse(parent, child)
    return {
        "Crystal": (child, "SrTiO3"),
        "Parent": (parent, "Pm-3m"),
        "OrderParameter": (analysis.decomposition["R4+"], "I4/mcm (140)"),
        "Decomposition": (analysis.decomposition, "R4+"),
        "Analysis": (analysis, "primary"),
        "Discovery": (discover(analysis, seed=0), "the network misses"),
        "SubgroupGraph": (subgroup_graph(analysis), "realised"),
        "Domain": (find_domains(analysis)[1], "antiphase"),
        "Proposal": (propose_parents(child)[0], "Pm-3m"),
    }


def test_every_noun_shows_itself(nouns):
    for name, (noun, told) in nouns.items():
        assert type(noun).__name__ == name
        shown = noun._repr_html_()
        Balanced(shown)
        assert told in shown
        assert len(shown) < 20_000
        assert len(repr(noun)) < 300
        assert "array(" not in repr(noun)


def test_names_from_files_are_escaped():
    hostile = "<script>alert(1)</script>"
    crystal = Crystal(4 * np.eye(3), np.zeros((1, 3)), ("Po",), (hostile,), hostile)
    shown = crystal._repr_html_()
    assert "script" not in Balanced(shown).seen
    assert "&lt;script&gt;" in shown


def test_long_lists_are_cut():
    places = np.stack([np.arange(100) / 100, np.zeros(100), np.zeros(100)], 1)
    crystal = Crystal(np.diag([300.0, 4, 4]), places, ("Po",) * 100)
    assert "and 70 more" in crystal._repr_html_()
    assert "and" not in replace(crystal, positions=places[:3], species=("Po",) * 3, labels=())._repr_html_()


def test_anything_else_is_plain_text():
    assert to_html("a < b") == "<pre>a &lt; b</pre>"


def test_a_plain_repr_loads_no_report():
    code = (
        "import sys; from orderparam import read_crystal, symmetrise;"
        "p = symmetrise(read_crystal('structures/perovskite/SrTiO3_221.cif')); repr(p); str(p);"
        "assert not [m for m in sys.modules if m.startswith(('orderparam.report', 'plotly', 'torch'))];"
        "p._repr_html_(); assert 'orderparam.report.notebook' in sys.modules;"
        "assert not [m for m in sys.modules if m.startswith(('plotly', 'torch'))]"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
