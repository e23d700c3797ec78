"""What the validation and performance pages show is asserted, and they tell of what does not agree."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orderparam import analyse, read_crystal, symmetrise
from tests.symmetry.test_against_crystod import BEYOND_CRYSTOD, differences

ROOT = Path(__file__).parents[2]
STRUCTURES = ROOT / "structures"
PAIRS = json.loads((ROOT / "tests" / "tables" / "pairs.json").read_text())
CRYSTOD = json.loads((ROOT / "docs" / "data" / "crystod.json").read_text())["pairs"]


@pytest.mark.parametrize("pair", [pytest.param(p, id=p["name"]) for p in PAIRS])
def test_a_pair_is_as_the_literature_and_crystod_have_it(pair: dict[str, Any]) -> None:
    """Primary irreps of the literature; labels, isotropy subgroups and amplitudes that CrystOD gave."""
    analysis = analyse(symmetrise(read_crystal(STRUCTURES / pair["parent"])), read_crystal(STRUCTURES / pair["child"]))
    if pair["primary"] is not None:
        chosen = analysis.primaries.members if analysis.primaries else ()
        assert sorted(m.label for m in chosen) == sorted(pair["primary"])
    stored = CRYSTOD[pair["name"]]
    if isinstance(stored, str):  # CrystOD does not treat it, and why
        return
    theirs = {label: (number, size) for label, number, size in stored}
    assert differences(analysis, theirs, np.zeros(3)) == []
    largest = max(theirs, key=lambda label: theirs[label][1])
    shifted = theirs | {largest: (theirs[largest][0], theirs[largest][1] + 1e-3)}
    assert len(differences(analysis, shifted, np.zeros(3))) == 1


def test_most_pairs_are_judged() -> None:
    assert sum(pair["primary"] is not None for pair in PAIRS) >= 40
    assert {name for name, stored in CRYSTOD.items() if isinstance(stored, str)} == set(BEYOND_CRYSTOD)


@pytest.fixture
def performance(monkeypatch, tmp_path):
    """Return a function from a record to the performance page."""
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    from orderparam_docs import performance

    def page(record: dict[str, Any]) -> str:
        path = tmp_path / "benchmarks.json"
        path.write_text(json.dumps(record))
        monkeypatch.setattr(performance, "RESULTS", path)
        return performance.page()

    yield page
    for name in [name for name in sys.modules if name.startswith("orderparam_docs")]:
        del sys.modules[name]


def test_the_performance_page_tells_of_missed_bounds_and_of_a_busy_machine(performance) -> None:
    one = {"file": "tests/benchmarks/test_fit_speed.py", "test": "test_whole_fit", "parameters": "", "median": 1.5}
    one |= {"rounds": 3, "extra": {"ratio": 0.51234, "of_both": {"network": [1e-6, 2e-6]}}, "failed": False}
    machine = {"cpu": "a processor", "cores": 2, "system": "Linux", "python": "3.11"}
    record = {"date": "2026-01-01", "load": [0.1, 1.2], "machine": machine, "versions": {"numpy": "2"}}
    good = performance(record | {"benchmarks": [one]})
    assert "The machine had nothing else to do. All 1 kept their bounds." in good
    assert (
        "| The command on LaMnO3: at most 4 s and 1 GB | 1.50 s | 3 | ratio 0.512; of both network (1e-06, 2e-06) |"
        in good
    )
    bad = performance(record | {"load": [0.9, 1.0], "benchmarks": [one, one | {"failed": True}]})
    assert "busy with other work" in bad
    assert "1 of 2 missed a bound" in bad
    assert bad.count("**bound missed**") == 1


def test_the_stored_benchmarks_are_of_benchmarks_that_exist(performance) -> None:
    stored = json.loads((ROOT / "docs" / "data" / "benchmarks.json").read_text())
    for one in stored["benchmarks"]:
        assert f"def {one['test']}(" in (ROOT / one["file"]).read_text()
    page = performance(stored)
    assert "| test_" not in page  # every benchmark says what it is
    assert page.count("\n| ") == len(stored["benchmarks"]) + 1
