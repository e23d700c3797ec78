"""Tilt systems of rigid units: groups as published, octahedra regular, nothing but a function of the tilts."""

from __future__ import annotations

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.errors import InvalidInputError
from orderparam.geometry import describe_geometry
from orderparam.parent import symmetrise
from orderparam.symmetry.orderparameter import decompose
from orderparam.tiltsystems import (
    TILT_SYSTEMS,
    all_tilt_systems,
    cubic_perovskite,
    misfit_of,
    tilt_components,
    tilt_system,
)
from tests.geometry.tilted import signs


@pytest.fixture(scope="module")
def systems():
    return all_tilt_systems()


@pytest.mark.parametrize(("symbol", "number"), TILT_SYSTEMS.items())
def test_groups_are_those_of_howard_and_stokes(systems, symbol, number):
    assert systems[symbol].group.space_group[0] == number


@pytest.mark.parametrize("symbol", TILT_SYSTEMS)
def test_octahedra_are_regular_wherever_they_can_be(systems, symbol):
    """Only a+a+c- has none (Howard & Stokes, 1998, keep it in the table for its symmetry)."""
    assert (misfit_of(systems[symbol]) < 1e-8) == (symbol != "a+a+c-")
    assert misfit_of(systems[symbol]) < 0.02


@pytest.mark.parametrize("symbol", ["a0a0c-", "a-a-a-", "a+b-b-", "a0b+c-"])
def test_the_tilts_are_what_was_asked_for(systems, symbol):
    """The order parameters are kept exactly, and the measured pattern is the symbol."""
    distortion = systems[symbol]
    wanted = tilt_components(distortion.supercell.parent, symbol, 8.0)
    found = decompose(distortion)
    for label, components in wanted.items():
        assert np.allclose(found[label].components, components, atol=1e-9)
    analysis = analyse(distortion.supercell.parent, distortion.crystal())
    glazer = describe_geometry(analysis.relation, analysis.decomposition).glazer
    assert glazer is not None
    assert sorted(glazer.symbol[1::2]) == sorted(symbol[1::2])


def test_a_tilt_is_an_order_parameter_of_turned_octahedra():
    """Against the displacements written down by hand: alternating rotations of the octahedra."""
    parent = cubic_perovskite()
    for sign, label in (("+", "M3+"), ("-", "R4+")):
        components = tilt_components(parent, f"a0a0c{sign}", 8.0)[label]
        # two anions of a cell move by a/2 tan(8 degrees)
        assert np.linalg.norm(components) == pytest.approx(np.sqrt(2) * 1.95 * np.tan(np.radians(8)))
    assert signs(np.array([1, 0, 1]), 2, "+") == -signs(np.array([1, 0, 1]), 2, "-")


def test_a_broken_cell_is_not_regular(systems):
    """Negative control of the misfit."""
    from dataclasses import replace

    assert misfit_of(replace(systems["a-a-a-"], strain=np.zeros((3, 3)))) > 0.01


@pytest.mark.parametrize("symbol", ["a+b-", "a*b-c-", ""])
def test_no_such_symbol(symbol):
    with pytest.raises(InvalidInputError, match="tilt system"):
        tilt_system(symbol)


def test_no_perovskite():
    parent = symmetrise(read_crystal("structures/reo3/AlF3_221.cif"))
    with pytest.raises(InvalidInputError, match="cubic perovskite"):
        tilt_system("a-a-a-", parent)
