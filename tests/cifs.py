"""Random structures in any tabulated setting, and CIFs of them that name the symmetry in any way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orderparam.crystals.cif.operations import from_hall
from orderparam.crystals.crystal import Crystal, shortest_distance
from orderparam.crystals.settings import Setting

HALL, SYMBOL, NUMBER = (
    "_symmetry_space_group_name_Hall",
    "_symmetry_space_group_name_H-M",
    "_symmetry_Int_Tables_number",
)


@dataclass(frozen=True, eq=False)
class Listed:
    """A structure as a CIF lists it, and all atoms that this means."""

    sites: list[tuple[str, np.ndarray]]
    cell: np.ndarray
    crystal: Crystal

    def is_read_as(self, crystal: Crystal) -> bool:
        """Whether a crystal has the same atoms in the same cell."""
        if Counter(crystal.species) != Counter(self.crystal.species):
            return False
        gaps = crystal.positions[:, None] - self.crystal.positions[None]
        distances = np.linalg.norm((gaps - np.rint(gaps)) @ self.crystal.lattice, axis=2)
        partners = distances.argmin(axis=1)
        kinds = [self.crystal.species[i] for i in partners]
        return bool(distances.min(axis=1).max() < 0.01) and kinds == list(crystal.species)


def random_listed(setting: Setting, rng: np.random.Generator, tries: int = 400) -> Listed | None:
    """Return two or three orbits, some on special positions, in a setting's cell; None when no try succeeds."""
    group = from_hall(setting.hall)
    metric = np.diag([30.0, 40.0, 55.0]) + rng.uniform(-6, 6, (3, 3))
    metric = np.einsum("nji,jk,nkl->il", group.rotations, metric + metric.T, group.rotations) / group.order
    for _ in range(tries):
        sites = [(element, _point(group, rng)) for element in ("C", "O", "N")[: rng.integers(2, 4)]]
        orbits = [_orbit(group, point) for _, point in sites]
        species = [element for (element, _), orbit in zip(sites, orbits, strict=True) for _ in orbit]
        if not 2 <= len(species) <= 150:
            continue
        scaled = metric * (14 * len(species) / np.sqrt(np.linalg.det(metric))) ** (2 / 3)
        lattice, positions = np.linalg.cholesky(scaled), np.concatenate(orbits)
        if shortest_distance(lattice, positions) > (1.5 if len(species) <= 60 else 1.3):
            return Listed(sites, _cell(scaled), Crystal(lattice, positions, tuple(species)))
    return None


def _point(group, rng: np.random.Generator) -> np.ndarray:
    """Return a random point, often on a symmetry element."""
    point = rng.random(3)
    for _ in range(rng.integers(0, 3)):
        g = rng.integers(group.order)
        shift = group.translations[g] + rng.integers(-1, 2, 3)
        w = group.rotations[g]
        fixed, *_ = np.linalg.lstsq(w - np.eye(3), -shift, rcond=None)
        if np.allclose(w @ fixed + shift, fixed, atol=1e-9):
            point = fixed + np.mean([np.linalg.matrix_power(w, n) for n in range(12)], axis=0) @ (point - fixed)
    return point % 1


def _orbit(group, point: np.ndarray) -> np.ndarray:
    images = group.rotations @ point + group.translations
    gaps = images[:, None] - images[None]
    same = (np.abs(gaps - np.rint(gaps)) < 1e-6).all(axis=2)
    return images[np.unique(same.argmax(axis=1))] % 1


def _cell(metric: np.ndarray) -> np.ndarray:
    lengths = np.sqrt(np.diag(metric))
    cosines = [metric[i, j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    return np.concatenate([lengths, np.degrees(np.arccos(cosines))])


def write(path: Path, listed: Listed, symmetry: Sequence[str], *, formula: bool = False) -> Path:
    """Write a CIF with the symmetry in the lines given."""
    lines = ["data_x", *symmetry]
    for tag, value in zip(("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"),
                          listed.cell, strict=True):  # fmt: skip
        lines.append(f"_cell_{tag} {value:.6f}")
    if formula:
        amounts = Counter(listed.crystal.species)
        lines.append(f"_chemical_formula_sum '{' '.join(f'{kind}{n}' for kind, n in amounts.items())}'")
        lines.append("_cell_formula_units_Z 1")
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol", *(f"_atom_site_fract_{axis}" for axis in "xyz")]
    for i, (element, point) in enumerate(listed.sites, start=1):
        lines.append(f"{element}{i} {element} {' '.join(f'{x:.6f}' for x in point)}")
    path.write_text("\n".join(lines) + "\n")
    return path


def namings(setting: Setting) -> dict[str, list[str]]:
    """Return the six ways in which files name a setting without listing operations, and one with everything."""
    full, *others = setting.symbols
    short = min(setting.symbols, key=len) if setting.number > 15 else (others or [full])[0]
    if 3 <= setting.number <= 15:
        short = full.replace(" 1", "")
    old = (short.replace("-3", "3") if setting.number >= 200 else short).replace("_", "")
    choice = f":{setting.choice[0]}" if setting.choice[:1] in {"1", "2", "H", "R"} else ""
    return {
        "hall": [f"{HALL} '{setting.hall}'"] if "'" not in setting.hall else [f'{HALL} "{setting.hall}"'],
        "full": [f"{SYMBOL} '{full}{choice}'"],
        "short": [f"{SYMBOL} '{short}'"],
        "short and number": [f"{SYMBOL} '{short}'", f"{NUMBER} {setting.number}"],
        "old": [f"{SYMBOL} '{old}'"],
        "number": [f"{NUMBER} {setting.number}"],
    }
