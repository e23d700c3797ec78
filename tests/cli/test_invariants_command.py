"""`orderparam invariants`: what it prints, its JSON, bad input."""

import json

import pytest


def test_tables(program):
    found = program("invariants", "Pm-3m", "--irrep", "M3+", "--irrep", "R4+")
    assert found.code == 0
    assert "2 of degree 2, 6 of degree 4" in found.out
    assert "X5+" in found.out
    assert max(map(len, found.out.splitlines())) <= 80


def test_json_alone(program):
    found = program("invariants", "221", "--irrep", "GM4-", "--degree", "6", "--json", "-")
    record = json.loads(found.out)
    assert record["schema"] == "orderparam/invariants"
    assert record["counts"] == {"1": 0, "2": 1, "3": 0, "4": 2, "5": 0, "6": 3}
    assert record["landau_condition"] is record["lifshitz_condition"] is True


def test_latex(program):
    assert r"p_{1}^{2} + p_{2}^{2} + p_{3}^{2}" in program("invariants", "221", "--irrep", "R4+", "--latex").out


def test_a_wave_vector_on_a_line(program):
    found = program("invariants", "62", "--irrep", "SM2@1/3,0,0", "--degree", "6", "--no-couplings")
    assert "p1^2 + p2^2" in found.out
    assert "of degree 6" in found.out  # the lock-in term of a threefold cell


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("221", "--irrep", "R9+"), "has no irrep R9+"),
        (("221", "--irrep", "R9+"), "R4+, R5+"),
        (("221", "--irrep", "SM2@1/3"), "three fractions"),
        (("221", "--irrep", "R4+", "--irrep", "X5+", "--degree", "30"), "the highest degree that is feasible"),
        (("221", "--irrep", "R4+", "--degree", "0"), "expected at least 1"),
        (("Pm-4m", "--irrep", "R4+"), "neither a file nor a space group"),
    ],
)
def test_bad_input(refused, arguments, part):
    assert part in refused("invariants", *arguments)
