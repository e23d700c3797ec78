"""The symmetry that a CIF states without listing operations: 530 settings by six namings, against what is meant."""

from __future__ import annotations

import functools
from collections import Counter

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.crystals.settings import all_settings
from orderparam.errors import OrderParamError
from tests.cifs import namings, random_listed, write

TABULATED = all_settings()[:530]
SAMPLE = (*TABULATED[1:72:9], *TABULATED[72:530:23])


@functools.cache
def outcomes(folder, settings, *, formula):
    """Return how every naming of every setting is read: right, noted or silent; refused; wrong."""
    rng = np.random.default_rng(11)
    found = {}
    for setting in settings:
        listed = random_listed(setting, rng)
        assert listed is not None
        for naming, lines in namings(setting).items():
            try:
                crystal = read_crystal(write(folder / "a.cif", listed, lines, formula=formula))
            except OrderParamError:
                found[setting, naming] = "refused"
                continue
            noted = "noted" if crystal.notes else "silent"
            found[setting, naming] = f"{'right' if listed.is_read_as(crystal) else 'wrong'} {noted}"
    return found


def counts(found, naming):
    return Counter(outcome for (_, way), outcome in found.items() if way == naming)


def right(found, naming):
    return sum(n for outcome, n in counts(found, naming).items() if outcome.startswith("right"))


@pytest.mark.parametrize("formula", [False, True])
def test_no_setting_is_read_wrongly_without_a_word(tmp_path, formula):
    found = outcomes(tmp_path, SAMPLE, formula=formula)
    assert "wrong silent" not in found.values()
    assert counts(found, "hall") == {"right silent": len(SAMPLE)}
    assert right(found, "full") >= len(SAMPLE) - 2
    assert right(found, "short and number") >= len(SAMPLE) - 4


@pytest.mark.slow
@pytest.mark.parametrize("formula", [False, True])
def test_all_settings(tmp_path, formula):
    """Hall symbols 530 right, full symbols >= 520, short ones with number >= 500; the rest refused or said."""
    found = outcomes(tmp_path, TABULATED, formula=formula)
    assert "wrong silent" not in found.values()
    assert counts(found, "hall") == {"right silent": 530}
    assert right(found, "full") >= 520
    assert right(found, "short and number") >= 500
    # random atoms have short contacts where real ones have none, so that the nearest pair can mislead: it is said
    assert max(counts(found, way)["wrong noted"] for way in ("full", "short", "short and number", "old")) <= 5


def test_the_check_can_fail(tmp_path):
    """A negative control: the atoms of another setting are not taken for those meant."""
    rng = np.random.default_rng(3)
    one, other = (random_listed(setting, rng) for setting in (TABULATED[300], TABULATED[301]))
    assert one.is_read_as(one.crystal)
    assert not one.is_read_as(other.crystal)
