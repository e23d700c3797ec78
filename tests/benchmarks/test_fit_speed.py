"""The fit: recovery and residual beside the time, and the paper's kind of network in the same run."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.analyse import analyse
from orderparam.discovery.comparison import compare_carriers
from orderparam.network.fit import fit
from orderparam.network.layout import Layout
from orderparam.network.problem import Architecture, FitConfig, FitProblem
from orderparam.parent import symmetrise
from orderparam.supercell import Supercell
from tests.benchmarks.test_modes_speed import BIN, PAIR, STRUCTURES, megabytes, seconds
from tests.discovery.test_points import square_problem
from tests.network.fit_problems import pair, random_network


def test_the_papers_pair_against_a_gated_network(benchmark, pace):
    """Largest error: ours <= 1e-6 angstrom, a gated network trained by Adam about 0.04, from the same inputs."""
    from orderparam.network.gated import train_gated

    problem = pair("perovskite/Smidt2021_221.cif", "perovskite/Smidt2021_62.cif", "Zn:1e")
    results = [fit(problem, FitConfig(seed=seed)) for seed in range(10)]
    benchmark.pedantic(fit, args=(problem, FitConfig(seed=0)), rounds=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        _, _, plateau = train_gated(problem, seed=0, steps=400)
        peer = time.perf_counter() - start
    benchmark.extra_info |= {
        "recovered": sum(r.converged for r in results),
        "restarts": sum(r.restarts for r in results),
        "largest_error": max(r.deviation.max for r in results),
        "mean_absolute_error": max(r.deviation.mean_abs for r in results),
        "gated_largest_error": plateau,
        "gated_seconds": peer,
        "ratio": benchmark.stats.stats.median / peer,
        "levenberg_marquardt_seconds": float(np.median([levenberg_marquardt(problem) for _ in range(5)])),
        "pace": pace,
    }
    assert benchmark.extra_info["recovered"] == 10
    assert benchmark.extra_info["largest_error"] <= 1e-6
    assert 0.03 < plateau < 0.06
    assert benchmark.extra_info["levenberg_marquardt_seconds"] <= 0.1 * pace


def levenberg_marquardt(problem: FitProblem) -> float:
    """Return the seconds from the first to the last step of a fit, without the choice of the architecture."""
    times: list[float] = []
    fit(problem, FitConfig(seed=0), on_step=lambda _step, _norm: times.append(time.perf_counter()))
    return times[-1] - times[0]


def test_whole_fit(benchmark, pace, tmp_path):
    """The command on LaMnO3: at most 4 s and 1 GB."""
    command = [str(BIN / "orderparam"), "fit", *PAIR, "--out", str(tmp_path / "run"), "--force", "--quiet"]
    seconds(command)
    benchmark.pedantic(seconds, args=(command,), rounds=3)
    benchmark.extra_info["megabytes"] = megabytes(command)
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.median <= 4 * pace
    assert benchmark.extra_info["megabytes"] <= 1024


@pytest.mark.parametrize(("n", "limit"), [(2, 6.0), (3, 15.0)])
def test_whole_fit_without_symmetry(benchmark, pace, tmp_path, n, limit):
    """Random displacements of 0.05 angstrom in a perovskite of 40 and 135 atoms."""
    source = STRUCTURES / "perovskite/SrTiO3_221.cif"
    supercell = Supercell.build(symmetrise(read_crystal(source)), n * np.eye(3, dtype=int))
    moves = np.random.default_rng(0).normal(0, 0.05, (supercell.n_atoms, 3))
    (tmp_path / "child.cif").write_text(crystal_to_cif(supercell.with_displacements(moves, np.zeros((3, 3)))))
    command = [str(BIN / "orderparam"), "fit", str(source), str(tmp_path / "child.cif"), "--quiet"]
    command += ["--out", str(tmp_path / "run"), "--force"]
    benchmark.pedantic(seconds, args=(command,), rounds=2)
    import json

    record = json.loads((tmp_path / "run/result.json").read_text())
    benchmark.extra_info |= {"largest_error": record["residual"]["max"], "megabytes": megabytes(command)}
    assert record["converged"]
    benchmark.extra_info["pace"] = pace
    assert benchmark.stats.stats.median <= limit * pace


def forward_backward(network: torch.nn.Module, fields: torch.Tensor) -> None:
    displacements, strain = network(fields)
    (displacements.square().sum() + strain.square().sum()).backward()


def cpu_seconds(network: torch.nn.Module, fields: torch.Tensor) -> float:
    """Return the CPU time of one forward and backward pass on one thread: other people's work does not count."""
    start = time.process_time()
    forward_backward(network, fields)
    return time.process_time() - start


def perovskite_of(n: int) -> Supercell:
    return Supercell.build(symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif")), n * np.eye(3, dtype=int))


def plain_network_on(supercell: Supercell) -> tuple[torch.nn.Module, torch.Tensor]:
    """Return the default network with random weights on a supercell, and random fields."""
    problem = pair("perovskite/SrTiO3_221.cif", "perovskite/SrTiO3_221.cif")
    network = random_network(problem, Architecture()).on(supercell.lattice, supercell.positions, supercell.species)
    fields = torch.randn(supercell.n_atoms, Layout.all_up_to(1).dim, dtype=torch.float64, requires_grad=True)
    return network.module(), fields


def test_the_plain_network_on_many_atoms(benchmark):
    """Forward and backward: 60 ms at 1080 atoms, no worse than linear to 8640; the gated network in the same run.

    In CPU time of one thread, the best of several passes.
    """
    from orderparam.network.gated import GatedNetwork

    small, large = perovskite_of(6), perovskite_of(12)
    found = {}
    with single_threaded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for supercell, rounds in ((small, 8), (large, 4)):
            module, fields = plain_network_on(supercell)
            forward_backward(module, fields)
            found[supercell.n_atoms] = min(cpu_seconds(module, fields) for _ in range(rounds))
        benchmark.pedantic(forward_backward, args=plain_network_on(small), rounds=5, warmup_rounds=1)
        gated = GatedNetwork(small.lattice, small.positions, small.species, seed=0)
        wide = torch.randn(small.n_atoms, Layout.all_up_to(2).dim, dtype=torch.float64, requires_grad=True)
        forward_backward(gated, wide)
        peer = min(cpu_seconds(gated, wide) for _ in range(2))
    growth = found[large.n_atoms] / found[small.n_atoms] / (large.n_atoms / small.n_atoms)
    ratio = found[small.n_atoms] / peer
    benchmark.extra_info |= {"cpu_seconds": found, "gated": peer, "ratio": ratio, "growth": growth}
    print(f"\n{benchmark.extra_info}")  # noqa: T201
    assert found[small.n_atoms] <= 0.06 * max(1.0, peer / 2.0)  # where the limit was set the gated one took 2 s
    assert ratio < 0.1
    assert growth <= 1.15


@contextmanager
def single_threaded() -> Iterator[None]:
    """Compute on one thread, with gradients."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def test_memory_at_1080_atoms():
    """At most 1 GB for the whole process: Python, torch, forward and backward."""
    code = "from tests.benchmarks.test_fit_speed import *; forward_backward(*plain_network_on(perovskite_of(6)))"
    found = megabytes([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(STRUCTURES.parent)!r}); {code}"])
    print(f"\n{found:.0f} MB")  # noqa: T201
    assert found <= 1024


def test_carrier_table(benchmark, pace):
    """All carriers of LaMnO3, analysis included, no fit: at most 1 s in process."""
    parent, child = (read_crystal(path) for path in PAIR)

    def table():
        return compare_carriers(analyse(symmetrise(parent), child))

    found = benchmark.pedantic(table, rounds=3)
    assert len(found) == 24
    assert benchmark.stats.stats.min <= 1 * pace


def test_square_to_rectangle(benchmark, pace):
    """At most 1 s of fit, 1e-8, on 20 of 20 seeds."""
    problem = square_problem()
    results = [fit(problem, FitConfig(seed=seed)) for seed in range(20)]
    benchmark.pedantic(fit, args=(problem, FitConfig(seed=0)), rounds=5)
    benchmark.extra_info["largest_error"] = max(r.deviation.max for r in results)
    assert benchmark.extra_info["largest_error"] <= 1e-8
    assert benchmark.stats.stats.max <= 1 * pace


def test_nothing_here_is_timed_by_default():
    assert "pytest_benchmark" in sys.modules
    assert Path(BIN, "orderparam").exists()
