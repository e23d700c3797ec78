"""The names of irreps."""

from __future__ import annotations

import re
import runpy
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from orderparam.errors import InvalidInputError
from orderparam.symmetry.irreps import irreps_at
from orderparam.symmetry.irreptable import load_table
from orderparam.symmetry.labels import format_k, k_letters, partner_label, split_label

ROOT = Path(__file__).parents[2]
PARAMETERS = (Fraction(1, 5), Fraction(1, 7), Fraction(1, 9))


def test_every_tabulated_label_is_one_label() -> None:
    count = 0
    for number in range(1, 231):
        for k_type in load_table(number).k_types:
            for entry in k_type.irreps:
                assert split_label(entry["label"]) == (entry["label"],)
                assert k_letters(entry["label"]) == k_type.letters
                count += 1
    assert count == 11202


@pytest.mark.parametrize("label", ["", "4+", "R", "r4+", "R4+ M3+", "R4*", "R4+|M3+"])
def test_text_that_is_not_a_label_is_refused(label: str) -> None:
    with pytest.raises(InvalidInputError, match="not an irrep label"):
        split_label(label)


def test_partner_names_are_new_names() -> None:
    """Where -k lies outside the star the partner's letters are not those of a tabulated k vector of the group."""
    count = 0
    for number in range(1, 231):
        table = load_table(number)
        tabulated = {k_type.letters for k_type in table.k_types}
        for k_type in table.k_types:
            if table.star(k_type, PARAMETERS).opposites[0] < 0:
                assert k_letters(partner_label(number, k_type.letters + "1")) not in tabulated
                count += 1
    assert count > 500


def test_partner_letters_that_collide_are_seen() -> None:
    """Negative control: ZA is a k vector of P23 in its own right; Z there needs no partner."""
    table = load_table(195)
    assert k_letters(partner_label(195, "Z1")) in {k_type.letters for k_type in table.k_types}


def test_joined_labels_split_into_their_constituents() -> None:
    for number in (1, 19, 75, 143, 198, 205):
        for k_type in load_table(number).k_types:
            star = load_table(number).star(k_type, PARAMETERS)
            for irrep in irreps_at(number, [Fraction(int(n), star.denominator) for n in star.numerators[0]]):
                assert len(irrep.constituents) == (1 if irrep.kind == 1 else 2)
                assert len(set(irrep.constituents)) == (2 if irrep.kind == 0 else 1)


def test_wavevectors_are_written_as_fractions() -> None:
    assert re.fullmatch(r"\(1/2,-2/3,0\)", format_k((Fraction(1, 2), Fraction(-2, 3), Fraction(0))))


@pytest.mark.slow
def test_data_file_is_what_the_script_derives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crystod = pytest.importorskip("crystod")
    source = Path(crystod.__file__).parent / "CIR_data.txt.gz"
    monkeypatch.setattr(sys, "argv", ["derive_irreps.py", str(source), str(tmp_path / "irreps.zip")])
    runpy.run_path(str(ROOT / "scripts" / "derive_irreps.py"), run_name="__main__")
    assert (tmp_path / "irreps.zip").read_bytes() == (ROOT / "orderparam" / "data" / "irreps.zip").read_bytes()


def test_snapping_refuses_a_value_that_it_does_not_know() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "derive_irreps.py"), run_name="derive_irreps")
    import numpy as np

    assert script["snap"](np.array([0.86603 - 0.5j])) == np.array([np.sqrt(0.75) - 0.5j])
    with pytest.raises(ValueError, match="not in the list of exact values"):
        script["snap"](np.array([0.86613 + 0j]))
