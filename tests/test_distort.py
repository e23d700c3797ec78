"""From modes to structures and back: the round trip is exact."""

from pathlib import Path

import numpy as np
import pytest

from orderparam.crystal import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.distort import copy_weights, distort, distort_many, parse_setting
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.alignment import align
from orderparam.symmetry.orderparameter import decompose

STRUCTURES = Path(__file__).parents[1] / "structures"


@pytest.fixture(scope="module")
def parent():
    return symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))


CASES = [
    {"R4+": (0.5, 0.5, 0)},
    {"R4+": (0.3, 0, 0), "M3+": (0, 0, 0.4)},
    {"GM4-": np.array([[0.1, 0, 0], [-0.2, 0, 0], [0.05, 0, 0], [0.05, 0, 0]])},
    {"X5+": (0.2, 0.2, 0, 0, 0, 0)},
]


@pytest.mark.parametrize("given", CASES, ids="+".join)
def test_round_trip(parent, given):
    made = distort(parent, given)
    found = decompose(made)
    assert {o.label for o in found.displacive if not o.is_zero} == set(given)
    for label, values in given.items():
        wanted = np.asarray(values, float)
        copies = found[label].components.shape[0]
        if wanted.ndim == 1:
            wanted = np.outer(copy_weights(copies), wanted)
        if label != "GM4-":  # there the uniform translation is taken out
            assert np.allclose(found[label].components, wanted, atol=1e-9)
    report = report_symmetry(made.crystal(), 1e-5)
    assert report.number == made.group.space_group[0]
    again = analyse(parent, made.crystal())
    assert again.relation.distortion.group.index == made.group.index
    reference = align(found).components
    assert align(again.decomposition, reference).overlap == pytest.approx(1.0, abs=1e-6)


def test_the_child_comes_back_from_its_own_record(parent):
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/LaMnO3_221.cif"))
    analysis = analyse(parent, read_crystal(STRUCTURES / "perovskite/LaMnO3_62.cif"))
    given = {o.label: o.components for o in analysis.decomposition.displacive}
    made = distort(parent, given, analysis.relation.distortion.strain)
    assert made.group.space_group == (62, "Pnma")
    assert made.supercell.n_atoms == 20
    again = analyse(parent, made.crystal())
    one, two = (
        {o.label: o.amplitude for o in (*a.decomposition.displacive, *a.decomposition.strain)}
        for a in (analysis, again)
    )
    assert two == pytest.approx(one, abs=1e-7)


def test_strain_alone(parent):
    made = distort(parent, {}, np.diag([0.01, 0.01, -0.02]))
    assert made.group.space_group[0] == 123
    assert made.supercell.n_cells == 1


def test_a_wave_vector_on_a_line():
    parent = symmetrise(read_crystal(STRUCTURES / "k2seo4/K2SeO4_62.cif"))
    made = distort(parent, {"SM2@1/3,0,0": (0.0, 0.5)})
    assert made.supercell.n_cells == 3
    assert made.group.space_group[0] == 33


def test_series_and_maps(parent):
    points = [(0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (0.5, 1.0, 1.0)]
    found = list(distort_many(parent, {"R4+": (0.4, 0, 0), "M3+": (0, 0, 0.2)}, None, points))
    for (a, b, _), (crystal, amplitudes) in zip(points, found, strict=True):
        assert amplitudes["Ap R4+"] == pytest.approx(0.4 * a)
        assert amplitudes["Ap M3+"] == pytest.approx(0.2 * b)
        sizes = {o.label: o.amplitude for o in analyse(parent, crystal).decomposition.displacive}
        assert sizes.get("R4+", 0.0) == pytest.approx(0.4 * a, abs=1e-6)
        assert sizes.get("M3+", 0.0) == pytest.approx(0.2 * b, abs=1e-6)
    assert len({crystal.n_sites for crystal, _ in found}) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"R9+": (1.0,)}, "has no irrep R9"),
        ({"R1-": (1.0,)}, "no displacement of Sr, Ti, O can carry"),
        ({"R4+": (1.0, 0)}, "expected 3 components, received 2"),
        ({"X5+": (1.0,) * 7}, "expected 6 components, or 2 x 6"),
        ({"R4+": (np.nan, 0, 0)}, "finite"),
        ({"R4+@1,2": (1.0, 0, 0)}, "three fractions"),
    ],
)
def test_bad_settings_are_refused(parent, given, message):
    with pytest.raises(InvalidInputError, match=message):
        distort(parent, given)


@pytest.mark.parametrize("text", ["R4+", "R4+=", "=(1,2)", "R4+=(a,b)", "R4+=(1/0)"])
def test_malformed_text_is_refused(text):
    with pytest.raises(InvalidInputError, match="expected LABEL="):
        parse_setting(text)


def test_the_command(tmp_path, capsys):
    from orderparam_cli.main import run

    source = str(STRUCTURES / "perovskite/SrTiO3_221.cif")
    for name in ("a.cif", "a.vasp", "a.xyz"):
        with pytest.raises(SystemExit) as end:
            run(["distort", source, "--set", "R4+=(0.3,0.3,0)", "--out", str(tmp_path / name)])
        assert end.value.code in (0, None)
        assert "Imma (74)" in capsys.readouterr().out
        assert report_symmetry(read_crystal(tmp_path / name), 1e-4).number == 74
    with pytest.raises(SystemExit):
        run(
            [
                "distort",
                source,
                "--set",
                "R4+=(0.3,0.3,0)",
                "--series",
                "4",
                "--out",
                str(tmp_path / "s"),
                "--format",
                "vasp",
            ]
        )
    assert len(list((tmp_path / "s").iterdir())) == 5
    with pytest.raises(SystemExit) as end:
        run(["distort", source, "--set", "R4+=(0.3,0.3,0)", "--series", "4", "--out", str(tmp_path / "s")])
    assert end.value.code == 1
