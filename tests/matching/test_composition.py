"""What parent and child are made of: formulas that can be read, and orderings of what a parent mixes."""

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal, formula_of
from orderparam.crystals.mixtures import FULL, site_formula
from orderparam.discovery.analyse import analyse
from orderparam.errors import MatchingError
from orderparam.formats.cif import child_cif
from orderparam.matching import compare_compositions
from orderparam.matching.composition import SLIGHT
from orderparam.parent import symmetrise
from tests.geometry.tilted import perovskite

PEROVSKITE = [("Sr", 2), ("O", 6)]


def sites(*counts):
    return [kind for kind, count in counts for _ in range(count)]


@pytest.mark.parametrize(
    ("species", "expected"),
    [
        (sites(("K", 1), ("Al0.25Si0.75", 4), ("O", 8)), "K(Al0.25Si0.75)4O8"),
        (sites(("Sr", 2), ("Fe0.5Mo0.5", 2), ("O", 6)), "Sr(Fe0.5Mo0.5)O3"),
        (sites(("Sr0.9", 1), ("Mn", 1), ("O", 3)), "(Sr0.9□0.1)MnO3"),
        (sites(("Ca0.3Sr0.6", 2), ("O", 2)), "(Ca0.3Sr0.6□0.1)O"),
        (sites(("Ca0.333Sr0.667", 1), ("O", 1)), "(Ca0.333Sr0.667)O"),
        (sites(("Ca0.3333Sr0.6666", 1), ("O", 1)), "(Ca0.3333Sr0.6666)O"),
    ],
)
def test_mixtures_stand_in_brackets_and_vacancies_have_a_sign(species, expected):
    assert formula_of(tuple(species)) == expected


@pytest.mark.parametrize(("gap", "vacant"), [(0.9 * FULL, False), (1.1 * FULL, True)])
def test_vacancies_are_named_beyond_rounding(gap, vacant):
    assert ("□" in site_formula(f"Sr{1 - gap:.6f}")) == vacant


def test_a_cif_is_ascii_where_there_are_vacancies():
    parent = symmetrise(perovskite(("Ti", "Sr0.9", "O")))
    assert child_cif(analyse(parent, perovskite(("Ti", "Sr0.9", "O"))).relation).isascii()


ORDERINGS = {
    "rock salt": ([("Fe0.5Mo0.5", 2)], [("Fe", 1), ("Mo", 1)]),
    "partial": ([("Fe0.5Mo0.5", 2)], [("Fe0.9Mo0.1", 1), ("Fe0.1Mo0.9", 1)]),
    "of vacancies": ([("K0.5", 2)], [("K", 1)]),
    "one beside pure sites": ([("K0.5", 2), ("K", 1)], [("K", 2)]),
    "three kinds": ([("Al0.5Fe0.25Ga0.25", 4)], [("Al", 2), ("Fe", 1), ("Ga", 1)]),
}


@pytest.mark.parametrize("name", ORDERINGS)
def test_an_ordering_of_what_the_parent_mixes_is_called_so(name):
    mixed, ordered = ORDERINGS[name]
    with pytest.raises(MatchingError) as problem:
        compare_compositions(sites(*mixed, *PEROVSKITE), sites(*ordered, *PEROVSKITE))
    text = str(problem.value)
    assert "the child orders what the parent mixes" in text
    assert "occupational order parameter, and such fields are not analysed yet" in text
    assert site_formula(mixed[0][0]) in text
    assert "\n" not in text
    with pytest.raises(MatchingError, match=r"the child mixes what the parent orders.*did you swap the files"):
        compare_compositions(sites(*ordered, *PEROVSKITE), sites(*mixed, *PEROVSKITE))


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ([("Ca0.5Sr0.5", 2)], [("Ca", 2)]),  # another compound
        ([("Ca0.95Sr0.05", 2)], [("Ca", 2)]),
        ([("O0.95", 3)], [("O", 3)]),
        ([("Fe0.5Mo0.5", 2)], [("Fe", 2), ("Mo", 2)]),  # twice as much
        ([("Fe0.5Mo0.5", 2)], [("Fe0.7Mo0.3", 2)]),
    ],
)
def test_another_composition_is_no_ordering(parent, child):
    """Negative control."""
    with pytest.raises(MatchingError, match="differ in composition"):
        compare_compositions(sites(*parent, ("F", 6)), sites(*child, ("F", 6)))


@pytest.mark.parametrize(("gap", "ordered"), [(0.95 * SLIGHT, True), (1.05 * SLIGHT, False)])
def test_an_ordering_may_miss_the_mixture_by_measured_occupancies(gap, ordered):
    with pytest.raises(MatchingError) as problem:
        compare_compositions(
            sites(("Fe0.5Mo0.5", 2), *PEROVSKITE),
            sites((f"Fe{0.9 + 2 * gap:.4f}Mo0.1", 1), ("Mo0.9Fe0.1", 1), *PEROVSKITE),
        )
    assert ("the child orders" in str(problem.value)) == ordered


def test_sanidine_and_albite():
    """K(Al0.25Si0.75)4O8 and NaAlSi3O8: the ordering of Al and Si, and Na in the place of K."""
    message = (
        r"^the child orders what the parent mixes: Al, Si in place of \(Al0\.25Si0\.75\)\. .* write the mixture "
        r"\(Al0\.25Si0\.75\) on these sites of the child's file; --map K=Na renames what differs besides$"
    )
    with pytest.raises(MatchingError, match=message):
        compare_compositions(
            sites(("K", 1), ("Al0.25Si0.75", 4), ("O", 8)), sites(("Na", 1), ("Al", 1), ("Si", 3), ("O", 8))
        )


def test_what_the_refusal_says_to_try_works():
    """A double perovskite with alternating octahedra: refused as it is, decomposed with the mixture on its sites."""
    cells = np.array([(x, y, z) for x in range(2) for y in range(2) for z in range(2)])
    simple = perovskite(("Fe0.5Mo0.5", "Sr", "O"))
    positions = np.concatenate([(simple.positions + cell) / 2 for cell in cells])
    breathing = []
    for cell in cells:
        sign = (-1) ** cell.sum()
        breathing += [np.zeros(3), np.zeros(3), *(sign * 0.005 * np.eye(3))]
    kinds = [kind for cell in cells for kind in ("Fe" if cell.sum() % 2 else "Mo", "Sr", "O", "O", "O")]
    ordered = Crystal(2 * simple.lattice, positions + np.array(breathing), tuple(kinds))
    parent = symmetrise(simple)
    with pytest.raises(MatchingError, match="occupational order parameter"):
        analyse(parent, ordered)
    mixed = tuple("Fe0.5Mo0.5" if kind in {"Fe", "Mo"} else kind for kind in kinds)
    found = analyse(parent, Crystal(ordered.lattice, ordered.positions, mixed))
    assert [o.irrep.irrep.k_label for o in found.decomposition.displacive if not o.is_zero] == ["R"]
