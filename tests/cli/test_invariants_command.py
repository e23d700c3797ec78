"""`orderparam invariants`: what it prints, its JSON, bad input."""

import json
from importlib.resources import files

import jsonschema
import pytest

from orderparam.errors import InvalidInputError
from orderparam.invariants import find_couplings
from orderparam.parent import abstract_parent
from orderparam.symmetry.parentirreps import named_irrep


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


def test_heavy_couplings_are_left_out_and_named(program):
    """The polynomial of a 12-dimensional irrep is quick; only the couplings with too many terms are not listed."""
    found = program("invariants", "225", "--irrep", "W5")
    assert found.code == 0, found.err
    assert "couplings left out, of too many terms: " in found.out
    record = json.loads(program("invariants", "225", "--irrep", "W5", "--json", "-").out)
    bare = json.loads(program("invariants", "225", "--irrep", "W5", "--no-couplings", "--json", "-").out)
    jsonschema.validate(record, json.loads((files("orderparam") / "data/schemas/invariants.json").read_text()))
    assert record["polynomials"] == bare["polynomials"]
    assert bare["couplings_left_out"] == []
    left_out = {row["secondary"] for row in record["couplings_left_out"]}
    listed = {row["secondary"] for row in record["couplings"]}
    assert left_out
    assert not left_out & listed
    assert {"GM1+", "GM3+"} <= listed
    parent = abstract_parent(225)
    with pytest.raises(InvalidInputError, match="too many monomials"):
        find_couplings(parent, [named_irrep(parent, "W5")], 4)


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
