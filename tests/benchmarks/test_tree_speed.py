"""Directions, invariants and subgroup graphs: figures, with CrystOD in the same run."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.invariants import invariant_polynomials
from orderparam.parent import abstract_parent, symmetrise
from orderparam.subgroups import subgroup_graph
from orderparam.symmetry.parentirreps import named_irrep, special_irreps
from orderparam.symmetry.strata import find_directions
from tests.benchmarks.test_modes_speed import megabytes, seconds

STRUCTURES = Path(__file__).parents[2] / "structures"
OURS = [sys.executable, "-m", "orderparam_cli.main"]
BIN = Path(sys.executable).parent


def all_directions(number: int) -> int:
    """Find every direction of every special-point irrep, with its space group."""
    parent = abstract_parent(number)
    found = [d for i in special_irreps(parent) for d in find_directions(parent, [i])]
    return len([d.subgroup.space_group for d in found])


def coupled() -> int:
    parent = abstract_parent(221)
    found = find_directions(parent, [named_irrep(parent, "M3+"), named_irrep(parent, "R4+")])
    return len([d.subgroup.space_group for d in found])


def crystod_seconds(*commands: list[str]) -> float:
    start = time.perf_counter()
    for arguments in commands:
        subprocess.run([str(BIN / "crystod-group"), *arguments], capture_output=True, check=True)
    return time.perf_counter() - start


@pytest.mark.parametrize(("number", "limit"), [(221, 1.2), (225, 8.0), (227, 8.0), (229, 8.0)])
def test_all_special_points(benchmark, pace, number, limit):
    """Every direction of every irrep at the special points of a group, with space groups."""
    benchmark.extra_info["directions"] = benchmark.pedantic(all_directions, args=(number,), rounds=3, warmup_rounds=1)
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.min <= limit * pace


def test_all_special_points_as_a_command(benchmark, pace):
    """`orderparam directions Pm-3m`: at most 2.5 s; CrystOD beside."""
    command = [*OURS, "directions", "Pm-3m"]
    benchmark.pedantic(seconds, args=(command,), rounds=3)
    peer = crystod_seconds(*(["--parent", "Pm-3m", "--kpoint", k] for k in ("GM", "R", "X", "M")))
    benchmark.extra_info |= {"crystod_seconds": peer, "ratio": benchmark.stats.stats.min / peer}
    benchmark.extra_info["megabytes"] = megabytes([*OURS, "directions", "Fm-3m"])
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.min <= 2.5 * pace
    assert benchmark.extra_info["megabytes"] <= 500


def test_coupled_tilts(benchmark, pace):
    """The 14 directions of M3+ with R4+: at most 0.2 s."""
    assert benchmark.pedantic(coupled, rounds=5, warmup_rounds=1) == 14
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.min <= 0.2 * pace


def test_coupled_tilts_as_a_command(benchmark, pace):
    """The same as a command: at most 1.3 s; CrystOD beside."""
    command = [*OURS, "directions", "Pm-3m", "--irrep", "M3+", "--irrep", "R4+"]
    benchmark.pedantic(seconds, args=(command,), rounds=3)
    peer = crystod_seconds(["--parent", "Pm-3m", "--irrep", "M3+", "R4+"])
    benchmark.extra_info |= {"crystod_seconds": peer, "ratio": benchmark.stats.stats.min / peer}
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.min <= 1.3 * pace


def test_invariants_of_three_irreps(benchmark, pace):
    """Landau polynomial of R4+, M3+ and X5+ up to degree 4: at most 0.4 s; CrystOD beside."""
    parent = abstract_parent(221)
    irreps = [named_irrep(parent, label) for label in ("R4+", "M3+", "X5+")]
    found = benchmark.pedantic(invariant_polynomials, args=(parent, irreps, 4), rounds=3, warmup_rounds=1)
    peer = crystod_seconds(["--parent", "Pm-3m", "--irrep", "R4+", "M3+", "X5+", "--invariants", "--degree", "4"])
    benchmark.extra_info["crystod_seconds"] = peer
    assert len(found) == 25
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.min <= 0.4 * pace


@pytest.mark.parametrize(
    ("parent", "child", "limit"),
    [("perovskite/LaMnO3_221", "perovskite/LaMnO3_62", 0.2), ("reo3/WO3_221", "reo3/WO3_14", 8.0)],
)
def test_subgroup_graph(benchmark, pace, parent, child, limit):
    """All groups between parent and child: at most 0.2 s (LaMnO3), 8 s (WO3)."""
    analysis = analyse(
        symmetrise(read_crystal(STRUCTURES / f"{parent}.cif")), read_crystal(STRUCTURES / f"{child}.cif")
    )
    graph = benchmark.pedantic(subgroup_graph, args=(analysis,), rounds=2, warmup_rounds=1)
    benchmark.extra_info |= {"nodes": len(graph.nodes), "index": graph.nodes[-1].index}
    assert np.isfinite([n.distance for n in graph.nodes]).all()
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.min <= limit * pace
