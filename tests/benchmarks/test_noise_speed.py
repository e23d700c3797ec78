"""Noise on large children: `--noise auto` on rock salt, as a ratio against smaller or plainer work in the same run."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.analyse import analyse
from orderparam.parent import Parent, symmetrise
from orderparam.supercell import Supercell

OURS = [sys.executable, "-m", "orderparam_cli.main", "modes"]
CONVENTIONAL = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])


def rock_salt() -> Crystal:
    sites = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    return Crystal(5.64 * np.eye(3), np.concatenate([sites, sites + 0.5]) % 1, ("Na",) * 4 + ("Cl",) * 4)


def noisy_child(n: int) -> tuple[Parent, Crystal]:
    """N x n x n conventional cells of rock salt with 0.01 angstrom of noise on every coordinate: 8 n^3 atoms in P1."""
    parent = symmetrise(rock_salt())
    supercell = Supercell.build(parent, n * CONVENTIONAL)
    moves = np.random.default_rng(0).normal(0, 0.01, (supercell.n_atoms, 3))
    return parent, supercell.with_displacements(moves, np.zeros((3, 3)))


def cpu_seconds(command: list[str]) -> float:
    """Return the user time of a process, which other processes on the machine change little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, capture_output=True, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


@pytest.mark.parametrize("n", [2, 3])
def test_noise_against_none(benchmark, tmp_path, n):
    """64 and 216 atoms: the search for the group costs less than what it spares, decomposing P1.

    Measured: 0.5 times the time for both of `modes` without `--noise`; with one join at a time 5, and more than 40.
    """
    child = noisy_child(n)[1]
    assert child.n_sites == 8 * n**3
    files = [tmp_path / "parent.cif", tmp_path / "child.cif"]
    for file, crystal in zip(files, (rock_salt(), child), strict=True):
        file.write_text(crystal_to_cif(crystal))
    command = [*OURS, *map(str, files), "--quiet", "--json", str(tmp_path / "modes.json")]
    plain = cpu_seconds(command)
    seconds = benchmark.pedantic(cpu_seconds, args=([*command, "--noise", "auto"],), rounds=2)
    benchmark.extra_info |= {"plain_cpu_seconds": plain, "cpu_seconds": seconds, "ratio": seconds / plain}
    assert seconds <= plain
    assert '"Fm-3m"' in (tmp_path / "modes.json").read_text()


def test_growth_with_the_number_of_atoms(benchmark):
    """27 / 8 times the atoms: at most twelve times the time, matching and search, as for joins that grow as n log n."""
    times = []
    for n in (2, 3):
        parent, child = noisy_child(n)
        start = time.process_time()
        found = analyse(parent, child, noise="auto")
        times.append(time.process_time() - start)
        assert found.noise is not None
        assert found.noise.space_group == (225, "Fm-3m")
    benchmark.extra_info["ratio"] = benchmark.pedantic(lambda: times[1] / times[0], rounds=1)
    assert times[1] <= 12 * times[0]
