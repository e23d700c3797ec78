"""Files with mistakes: a crystal or one line that says what is wrong, never another exception, soon.

Every draw takes a good file and damages it one to four times, as editors and transfers do. Fixed seeds.
"""

import time
import warnings

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.errors import OrderParamError
from tests.crystals.samples import FILES, STRUCTURES, manganite, quartz, write

SLOWEST = 20.0
"""Seconds that no file may take."""
WORDS = ["0", "-1", "1", "nan", "inf", "1e400", "-0.0", "1e-300", "1e300", "9" * 20, "0.5.5", "abc", "Xx", "T",
         "F", "****", "'", '"', ";", "#", "!", "_", "=", ":", "/", "\\", "(", "{", "[", "&", "%", "\x00", "é", "²", "½",
         "\ufeff", "data_", "loop_", "Direct", "Na", "1/3", "0.5(3)", "?", "."]  # fmt: skip

FORMATS = [
    "POSCAR",
    "a.xyz",
    "a.cif",
    "a.pwi",
    "a.res",
    "a.cell",
    "phonopy.yaml",
    "geometry.in",
    "a.xsf",
    "a.cssr",
    "a.json",
]


def damaged(text: str, rng: np.random.Generator) -> bytes:
    """Return a text with one to four mistakes."""
    for _ in range(rng.integers(1, 5)):
        lines = text.split("\n")
        at = int(rng.integers(len(lines)))
        words = lines[at].split(" ")
        word = int(rng.integers(len(words)))
        match int(rng.integers(10)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[int(rng.integers(len(lines)))])
            case 2:
                words[word] = str(rng.choice(WORDS))
                lines[at] = " ".join(words)
            case 3:
                del words[word]
                lines[at] = " ".join(words)
            case 4:
                words.insert(word, str(rng.choice(WORDS)))
                lines[at] = " ".join(words)
            case 5:
                lines = lines[:at]
            case 6:
                lines[at] = ""
            case 7:
                position = int(rng.integers(len(lines[at]) + 1))
                lines[at] = lines[at][:position] + chr(int(rng.integers(1, 300))) + lines[at][position:]
            case 8:
                other = int(rng.integers(len(lines)))
                lines[at], lines[other] = lines[other], lines[at]
            case 9:
                lines[at] = lines[at].replace(".", rng.choice([",", "", "..", " "]), 1)
        text = "\n".join(lines)
    data = text.encode("utf-8", errors="replace")
    return data[: int(rng.integers(len(data) + 1))] if rng.random() < 0.05 else data


SYMBOL_ALONE = """data_spinel
_chemical_formula_sum 'Mg Al2 O4'
_cell_formula_units_Z 8
_cell_length_a 8.083(1)
_cell_length_b 8.083(1)
_cell_length_c 8.083(1)
_cell_angle_alpha 90.
_cell_angle_beta 90.
_cell_angle_gamma 90.
_symmetry_space_group_name_H-M 'F d -3 m'
_symmetry_Int_Tables_number 227
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mg1 0.125 0.125 0.125
Al1 0.5 0.5 0.5
O1 0.2624(2) 0.2624(2) 0.2624(2)
"""
MIXED = """data_manganite
_space_group_name_Hall '-P 4 2 3'
_cell.length_a 3.88
_cell.length_b 3.88
_cell.length_c 3.88
_cell.angle_alpha 90
_cell.angle_beta 90
_cell.angle_gamma 90
loop_
_atom_site.label
_atom_site.type_symbol
_atom_site.fract_x
_atom_site.fract_y
_atom_site.fract_z
_atom_site.occupancy
La1 La3+ 0 0 0 0.7
Sr1 Sr2+ 0 0 0 0.3(1)
Mn1 Mn3+ 1/2 1/2 1/2 .
O1 O2- 0.5 0.5 0 1.0
"""


def good_files(name: str, folder) -> list[str]:
    """Return good texts of a format to damage."""
    if name == "a.cif":
        listed = [(STRUCTURES / file).read_text() for file in ("quartz/SiO2_154.cif", "perovskite/LaMnO3_62.cif")]
        return [*listed, SYMBOL_ALONE, MIXED]
    texts = [write(crystal, folder / name).read_text() for crystal in (quartz(), manganite())]
    if name == "POSCAR":
        texts += [path.read_text() for path in sorted(FILES.glob("POSCAR_*"))]
    return [*texts, (FILES / "traj.xyz").read_text()] if name == "a.xyz" else texts


def check_draws(name: str, draws: int, seed: int, folder) -> int:
    """Read damaged files; return how many still were a crystal."""
    rng = np.random.default_rng(seed)
    texts = good_files(name, folder)
    path = folder / name
    read = 0
    for draw in range(draws):
        data = damaged(texts[draw % len(texts)], rng)
        path.write_bytes(data)
        start = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                said = read_crystal(path).notes
            read += 1
        except OrderParamError as refusal:
            said = (str(refusal),)
        assert all(len(line.splitlines()) == 1 for line in said), (draw, said)
        assert time.perf_counter() - start < SLOWEST, draw
    return read


@pytest.mark.parametrize("name", FORMATS)
def test_sixty(tmp_path, name):
    assert 0 < check_draws(name, 60, 1, tmp_path) < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_two_thousand(tmp_path, name):
    assert 0 < check_draws(name, 2000, 2, tmp_path) < 2000
