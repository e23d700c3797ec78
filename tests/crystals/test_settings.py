"""Symbols of space groups in any setting: against pymatgen's table, and names that the literature prints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pymatgen.symmetry.groups
import pytest

from orderparam.crystals.cif.operations import from_hall
from orderparam.crystals.settings import all_settings, find_group, find_settings, nearest_symbols, settings_of
from orderparam.spacegroup import hall_operations


@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        ("Cmca", 64), ("Bmab", 64), ("Bbcm", 64), ("Abma", 64), ("Acam", 64), ("Ccmb", 64), ("Cmce", 64),
        ("Abm2", 39), ("Aba2", 41), ("Cmma", 67), ("Ccca", 68), ("C2cb", 41),
        ("Pbnm", 62), ("Pmcn", 62), ("A2_1am", 36), ("A21am", 36), ("I2/c", 15), ("I2/m", 12), ("P2_1/n", 14),
        ("P 1 21/c 1", 14), ("P2(1)/c", 14), ("P112_1/b", 14), ("C-1", 2), ("B2/b", 15),
        ("R-3c:R", 167), ("R-3c:H", 167), ("R -3 c R", 167), ("Fd-3m:2", 227), ("F d -3 m Z", 227), ("Pnnn:1", 48),
        ("Pm3m", 221), ("Fd3m", 227), ("Ia3", 206), ("Pm3", 200), ("P32", 145), ("P321", 150), ("194", 194),
        ("P 4/m -3 2/m", 221), ("pm-3m", 221),
    ],
)  # fmt: skip
def test_names_of_the_literature(symbol, number):
    """International Tables A, table 4.3.2.1, old and new names."""
    assert find_group(symbol) == number


@pytest.mark.parametrize("symbol", ["", "0", "231", "-1", "Pxyz", "Pm-3m:R", "Cmc", "Pmcb3", "Amca2", "CaTiO3", "P-3m"])
def test_what_is_no_symbol(symbol):
    assert find_group(symbol) is None


def test_a_second_table_agrees():
    """No symbol of pymatgen's table (cctbx's, with the old names of e-glides) means another group here."""
    table = json.loads((Path(pymatgen.symmetry.groups.__file__).parent / "symm_ops.json").read_text())
    known = [(find_group(row[key]), row) for row in table for key in ("hermann_mauguin", "universal_h_m")]
    assert [row["universal_h_m"] for number, row in known if number not in (None, row["number"])] == []
    unknown = {row["hermann_mauguin"] for number, row in known[: 2 * 530] if number is None}
    assert unknown <= {"C 2 e b", "R 1 2/c 1 ", "B 1 21 1", "B 1 21/m 1"}  # no setting of the tables has these


def test_every_setting_is_known_by_all_its_symbols():
    for setting in all_settings():
        assert {find_group(symbol) for symbol in setting.symbols} == {setting.number}
        assert all(setting in find_settings(symbol) for symbol in setting.symbols)


def test_the_name_of_a_setting_means_it_alone():
    names = [setting.name for setting in all_settings()]
    assert len(set(names)) == len(names)
    for setting in all_settings():
        assert setting.name == setting.hall or find_settings(setting.name) == (setting,)


def test_hall_symbols_are_the_operations_of_spglib():
    """Two programs: gemmi builds the group from the Hall symbol, spglib has tabulated it."""
    for number, setting in enumerate(all_settings()[:530], start=1):
        rotations, numerators = hall_operations(number)
        ours = from_hall(setting.hall)
        tabulated = {(*w.ravel().tolist(), *n.tolist()) for w, n in zip(rotations, numerators, strict=True)}
        assert {(*w.ravel().tolist(), *n.tolist())
                for w, n in zip(ours.rotations, ours.numerators, strict=True)} == tabulated  # fmt: skip


def test_every_type_has_standard_settings():
    standard = {n: [s for s in settings_of(n) if s.is_standard] for n in range(1, 231)}
    assert all(1 <= len(settings) <= 2 for settings in standard.values())
    assert sum(len(settings) == 2 for settings in standard.values()) == 24 + 7  # two origins; two axes of R lattices


@pytest.mark.parametrize(
    ("symbol", "choices"),
    [
        ("Fd-3m", ["1", "2"]), ("F d 3 m S", ["1"]), ("Fd-3mZ", ["2"]), ("R32", ["H", "R"]), ("R 3 2 HR", ["H", "R"]),
        ("H 3 2", ["H"]), ("R -3 c H", ["H"]), ("P 21/n", ["b2", "c2", "a2"]), ("Cmma", [""]), ("Cmmb", ["ba-c"]),
        ("Cmme", ["", "ba-c"]), ("P\u0305", []), ("P 3\u0305 m 1", [""]), ("F d 3bar m :1", ["1"]),
        ("P6<sub>3</sub>/mmc", [""]), ("P 1 21/c 1 :b1", ["b1"]),
        ("F d -3 m (origin choice 2)", ["2"]), ("R -3 c, hexagonal axes", ["H"]), ("P 21/n, unique axis c", ["c2"]),
        ("P m -3 m:1", [""]), ("I 41/a m d [origin choice 1]", ["1"]),
    ],
)  # fmt: skip
def test_spellings(symbol, choices):
    assert [setting.choice for setting in find_settings(symbol)] == choices


def test_symbols_that_are_like_a_wrong_one():
    assert "P n n m" in nearest_symbols("P n m b")
    assert nearest_symbols("qqqqqqqq") == []
    rng = np.random.default_rng(0)
    for setting in rng.permutation(np.array(all_settings(), object))[:20]:
        assert len(nearest_symbols(setting.symbols[0] + "q")) >= 1
