"""From modes to structures and back: the round trip is exact."""

import csv
import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.distort import copy_weights, distort, distort_many, parse_setting
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.alignment import align
from orderparam.symmetry.orderparameter import decompose

STRUCTURES = Path(__file__).parents[2] / "structures"


@pytest.fixture(scope="module")
def parent():
    return symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))


CASES = [
    {"R4+": (0.5, 0.5, 0)},
    {"R4+": (0.3, 0, 0), "M3+": (0, 0, 0.4)},
    {"GM4-": np.array([[0.1, 0, 0], [-0.2, 0, 0], [0.05, 0, 0], [0.05, 0, 0]])},
    {"X5+": (0.2, 0.2, 0, 0, 0, 0)},
    {"GM4-": (0.1, 0.2, 0.0), "R4+": (0.0, 0.3, 0.0)},
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
            assert found[label].amplitude == pytest.approx(np.linalg.norm(wanted))
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
        assert amplitudes["cells"] * 5 == crystal.n_sites
    assert len({crystal.n_sites for crystal, _ in found}) == 1


def energy_of(row: dict[str, str]) -> float:
    """Return a Landau energy, per file: cubic in no component, with a coupling to the strain."""
    R = np.array([float(row[f"R4+ [{i}]"]) for i in (1, 2, 3)])
    e = np.array([float(row[f"strain GM3+ [{i}]"]) for i in (1, 2)])
    cell = -7.0 - 1.5 * R @ R + 2.0 * (R**4).sum() + 0.8 * e @ e
    return cell * float(row["cells"])


def test_energies_come_back_as_a_landau_polynomial(parent, tmp_path, program):
    """The coefficients that made the energies are found again, per primitive cell; rows without energy are told."""
    source = STRUCTURES / "perovskite/SrTiO3_221.cif"
    strain = ("--strain=-0.01,-0.01,0.02,0,0,0",)
    arguments = ("--set", "R4+=(0,0,0.4)", *strain, "--series", "9", "--out", tmp_path / "s", "--format", "xyz")
    made = program("distort", source, *arguments, "--json", "-")
    record = json.loads(made.out)
    jsonschema.validate(record, json.loads((files("orderparam") / "data/schemas/distort.json").read_text()))
    assert len(record["files"]) == 9
    table = tmp_path / "s/index.csv"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {row["file"] for row in rows} == {p.name for p in (tmp_path / "s").iterdir()} - {"index.csv"}
    for row in rows[:-1]:
        row["energy"] = repr(float(energy_of(row)))
    with table.open("w") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = program("distort", source, "--energies", table, "--json", "-")
    assert "1 rows" in found.err
    record = json.loads(found.out)
    jsonschema.validate(record, json.loads((files("orderparam") / "data/schemas/invariants.json").read_text()))
    fit = record["fit"]
    assert fit["rms"] < 1e-7
    assert fit["constant"] == pytest.approx(-7.0, abs=1e-5)
    # along one path the square of the tilt and that of the strain are one: only their sum is determined
    determined = {c["expression"]: c["coefficient"] for c in fit["coefficients"] if c["coefficient"] is not None}
    assert determined["p1^4 + p2^4 + p3^4"] == pytest.approx(2.0, rel=1e-4)
    ratio = sum(float(rows[-1][f"strain GM3+ [{i}]"]) ** 2 for i in (1, 2)) / 0.4**2
    assert determined["p1^2 + p2^2 + p3^2"] == pytest.approx(-1.5 + 0.8 * ratio, rel=1e-4)
    assert any(c["coefficient"] is None for c in fit["coefficients"])


def repulsion(crystal) -> float:
    """Return sum exp(-2.5 r / angstrom) over all pairs: smooth, and short-ranged beside the cells."""
    cells = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    gaps = (crystal.positions[:, None] - crystal.positions[None])[:, :, None] + cells
    lengths = np.linalg.norm(gaps @ crystal.lattice, axis=-1)
    return float(np.exp(-2.5 * lengths).sum() - crystal.n_sites) / 2


def test_a_real_energy_is_a_landau_polynomial(parent):
    """Energies of tilts in many directions, each in its own cell: one polynomial fits all, better with each order."""
    from orderparam.invariants import fit_energies, invariant_polynomials
    from orderparam.symmetry.parentirreps import named_irrep

    vectors = np.random.default_rng(0).normal(size=(20, 3)) * 0.15
    vectors[:5, 0] = 0.0
    made = [distort(parent, {"R4+": vector}) for vector in vectors]
    assert {m.group.space_group[0] for m in made} == {2, 12}
    energies = np.array([repulsion(m.crystal()) / m.supercell.n_cells for m in made])
    irrep = named_irrep(parent, "R4+")
    fits = [fit_energies(invariant_polynomials(parent, [irrep], d), vectors, energies) for d in (2, 4, 6)]
    assert fits[0].rms > 5 * fits[1].rms > 25 * fits[2].rms
    assert not fits[2].undetermined
    assert fits[2].n_spare == 20 - 1 - 6
    wrong = fit_energies(
        invariant_polynomials(parent, [named_irrep(parent, "GM5-")], 2), vectors[:, [0, 0, 0]], energies
    )
    assert wrong.rms > 5 * fits[1].rms  # negative control: with only the first component it cannot work


def test_tables_that_are_no_series_are_refused(refused, tmp_path):
    source = STRUCTURES / "perovskite/SrTiO3_221.cif"
    table = tmp_path / "t.csv"
    assert "cannot be read" in refused("distort", source, "--energies", tmp_path / "none.csv")
    for text, part in (
        ("a,b\n1,2\n", "without cells and energy"),
        ("cells,energy\n1,2\n", "without components"),
        ("cells,R4+ [1],energy\n2,0.1,3\n", "expected 3 components of R4+, received 1"),
        ("cells,R1+ [1],energy\n2,1,3\n\n2,1,\n2,x,3\n", "line 5: R1+ [1] is x, not a number"),
        ("cells,R1+ [1],energy\n2,1,3\n2,0.1,inf\n", "line 3: energy is inf, not a number"),
        ("cells,R1+ [1],energy\n2,1,3\n2,,1\n", "line 3: R1+ [1] is empty, not a number"),
        ("cells,R1+ [1],energy\n2,0.1,3\n", "at least two structures"),
        ("cells,R9+ [1],energy\n2,0.1,3\n", "has no irrep R9+"),
    ):
        table.write_text(text)
        assert part in refused("distort", source, "--energies", table)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((), "expected --out FILE, or --energies"),
        (("--out", "x.cif"), "expected --set"),
        (("--set", "R4+=0.5,0.5", "--out", "x.cif"), "expected 3 components, received 2"),
        (("--set", "R4+:0.5", "--out", "x.cif"), "expected LABEL=(numbers)"),
        (("--set", "R4+:0.5", "--out", "x.cif"), "copies as X2+=(0.2;0|0.1;0)"),
        (("--set", "R4+=(0.5,0,0)", "--out", "x.docx"), "ending in .cif"),
        (("--set", "R4+=(0.5,0,0)", "--out", "/proc/none/x.cif"), "cannot be written"),
        (("--set", "R4+=(0.5,0,0)", "--grid", "3", "--out", "x"), "two numbers"),
        (("--strain", "1,2", "--out", "x.cif"), "six numbers"),
        (("--strain=-2,0,0,0,0,0", "--out", "x.cif"), "no length may shrink to nothing"),
        (("--set", "R4+=(1,0,0)", "--series", "6000", "--out", "x"), "these are 6000 files; fewer points, or --force"),
        (("--set", "M3+=(1;0;0)", "--series", "3", "--format", "pdf", "--out", "x"), "expected cif, vasp or xyz"),
    ],
)
def test_bad_input(refused, arguments, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert part in refused("distort", STRUCTURES / "perovskite/SrTiO3_221.cif", *arguments)
    assert not list(tmp_path.iterdir())


def test_atoms_that_meet_are_said(program, tmp_path):
    source = STRUCTURES / "perovskite/SrTiO3_221.cif"
    for size, said in ((3.0, True), (0.5, False)):
        outcome = program("distort", source, "--set", f"R4+=({size},0,0)", "--out", tmp_path / "x.cif")
        assert outcome.code == 0
        assert ("as near to one another as" in outcome.err) is said


def test_a_map_is_written_whole_or_not_at_all(program, tmp_path, monkeypatch):
    """A map that breaks off leaves nothing; a second one with --force takes the place of the first."""
    from orderparam.report import structures

    source, place = STRUCTURES / "perovskite/SrTiO3_221.cif", tmp_path / "map"
    arguments = ("distort", source, "--set", "R4+=(0.5,0,0)", "--out", place)
    broken = {"cif": lambda crystal: 1 / 0}
    with monkeypatch.context() as patch:
        patch.setattr(structures, "_WRITERS", broken)
        with pytest.raises(ZeroDivisionError):
            program(*arguments, "--series", 4)
    assert not list(tmp_path.iterdir())
    assert program(*arguments, "--series", 4).code == 0
    assert len(list(place.iterdir())) == 5
    assert program(*arguments, "--series", 3, "--force").code == 0
    assert sorted(p.name for p in place.iterdir()) == ["0000.cif", "0001.cif", "0002.cif", "index.csv"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"R9+": (1.0,)}, "has no irrep R9"),
        ({"R1-": (1.0,)}, "no displacement of Sr, Ti, O can carry this irrep; a field 0o on Ti1 or 1e on O1"),
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--set", "R4+=(0,0,1)", "--set", "GM4-=(0,0,1)", "--grid", "5,4", "--series", "3", "--out", "x"),
            "--grid would",
        ),
        (("--set", "R4+=(0.1,0,0)", "--set", "R4+ = (0,0.1,0)", "--out", "x.cif"), "R4+ is given twice"),
        (("--set", "R4+=(0.1,0,0)", "--energies", "index.csv"), "--set would be ignored"),
        (("--out", "x", "--series", "3", "--energies", "index.csv"), "--series, --out would be ignored"),
    ],
)
def test_what_would_be_ignored_is_wrong_usage(program, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = program("distort", STRUCTURES / "perovskite/SrTiO3_221.cif", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in " ".join(outcome.err.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.xyz", "x.extxyz", "x.vasp"])
def test_mixed_sites_are_not_written_where_a_format_has_none(program, refused, name, tmp_path, monkeypatch):
    """`Sr0.7Ca0.3` is no element, and a reader of XYZ takes it for one."""
    monkeypatch.chdir(tmp_path)
    species = [{"Sr": 0.7, "Ca": 0.3}, "Ti", "O"]
    sites = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0)]
    Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.9), species, sites).to("mixed.cif")
    distorted = ("distort", "mixed.cif", "--origin", "Ti", "--set", "R4+=(0.3,0,0)", "--out")
    assert "has no occupancies, and the crystal has a site (Ca0.3Sr0.7); write a .cif" in refused(*distorted, name)
    assert program(*distorted, "child.cif").code == 0
    assert "has no occupancies" in refused("modes", "mixed.cif", "child.cif", "--write", name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["child.cif", "mixed.cif"]
