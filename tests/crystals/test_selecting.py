"""A part of a structure: the same as the files without the rest, and every name is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.selecting import check_names, part_of
from orderparam.crystals.uncertainties import Uncertainties
from orderparam.discovery.analyse import analyse
from orderparam.discovery.errorbars import coordinate_sigma, error_bars
from orderparam.discovery.pair import PairSettings, analyse_pair
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise

STRUCTURES = Path(__file__).parents[2] / "structures"
PARENT, CHILD = (STRUCTURES / f"perovskite/LaMnO3_{number}.cif" for number in (221, 62))
PARTS = [(("Mn", "O"), ()), ((), ("La",)), (("La1", "O"), ()), ((), ("Mn", "La1"))]


def without(crystal: Crystal, *kinds: str) -> Crystal:
    keep = [i for i, kind in enumerate(crystal.species) if kind not in kinds]
    return Crystal(
        crystal.lattice,
        crystal.positions[keep],
        tuple(crystal.species[i] for i in keep),
        tuple(crystal.labels[i] for i in keep),
        crystal.name,
    )


@pytest.mark.parametrize(("only", "ignore"), PARTS)
def test_the_rest_is_as_if_it_were_not_there(only, ignore):
    crystal = read_crystal(CHILD)
    part = part_of(crystal, only=only, ignore=ignore)
    left = [kind for kind in ("La", "Mn", "O") if kind not in part.species]
    expected = without(crystal, *left)
    assert part.species == expected.species
    assert np.array_equal(part.positions, expected.positions)
    parent = symmetrise(without(read_crystal(PARENT), *left))
    assert left
    found = analyse_pair(str(PARENT), str(CHILD), PairSettings(only=only, ignore=ignore))
    wanted = analyse(parent, expected)
    assert {o.label: o.amplitude for o in found.decomposition.displacive} == pytest.approx(
        {o.label: o.amplitude for o in wanted.decomposition.displacive}
    )
    assert sum("atoms are compared" in warning for warning in found.warnings) == 2


def test_error_bars_are_those_of_the_atoms_that_are_kept():
    child = read_crystal(CHILD)
    listed = np.array([child.positions[child.labels.index(label)] for label in dict.fromkeys(child.labels)])
    kinds = [label.rstrip("0123456789") for label in dict.fromkeys(child.labels)]
    sigmas = np.array([[0.009 if kind == "La" else 0.0003] * 3 for kind in kinds])
    known = replace(child, uncertainties=Uncertainties(listed, sigmas, np.zeros(6)))
    parent = symmetrise(without(read_crystal(PARENT), "La"))
    few = [i for i, kind in enumerate(kinds) if kind != "La"]
    apart = replace(without(child, "La"), uncertainties=Uncertainties(listed[few], sigmas[few], np.zeros(6)))
    found, wanted = (analyse(parent, crystal) for crystal in (part_of(known, ignore=("La",)), apart))
    assert coordinate_sigma(found.relation) == pytest.approx(coordinate_sigma(wanted.relation))
    bars = [error_bars(a.relation, a.decomposition, None) for a in (found, wanted)]
    assert bars[0].amplitudes == pytest.approx(bars[1].amplitudes)


def test_names_are_those_after_renaming(tmp_path):
    child = read_crystal(CHILD)
    strontium = replace(child, species=tuple("Sr" if kind == "La" else kind for kind in child.species), labels=())
    path = tmp_path / "child.json"
    strontium.to_pymatgen().to(filename=str(path))
    settings = PairSettings(renaming=(("La", "Sr"),))
    whole = analyse_pair(str(PARENT), str(path), settings).decomposition
    same = analyse_pair(str(PARENT), str(path), replace(settings, only=("Sr", "Mn", "O"))).decomposition
    assert [o.amplitude for o in same.displacive] == pytest.approx([o.amplitude for o in whole.displacive])
    part = analyse_pair(str(PARENT), str(path), replace(settings, ignore=("Sr",)))
    assert part.relation.child.formula == "MnO3"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ("Ni",)}, "--only Ni: no such species or site label"),
        ({"ignore": ("Ni",)}, "--ignore Ni: no such species or site label"),
        ({"ignore": ("La", "Mn", "O")}, "no atom is left"),
    ],
)
def test_bad_names(options, message):
    with pytest.raises(InvalidInputError, match=message) as caught:
        analyse_pair(str(PARENT), str(CHILD), PairSettings(**options))
    assert "\n" not in str(caught.value)


def test_a_species_to_keep_must_be_in_both():
    crystal = read_crystal(CHILD)
    with pytest.raises(InvalidInputError, match="has no La; it has Mn, O"):
        check_names([crystal, without(crystal, "La")], only=("La", "O"))
    check_names([crystal, without(crystal, "La")], ignore=("La",))  # an intercalant is in one alone


def test_an_element_that_shares_a_site():
    mixed = Crystal(4 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ("Ca0.5Sr0.5", "O"))
    with pytest.raises(InvalidInputError, match=r"name the whole mixture, --ignore 'Ca0\.5Sr0\.5'"):
        check_names([mixed], ignore=("Sr",))
    assert part_of(mixed, ignore=("Ca0.5Sr0.5",)).species == ("O",)
