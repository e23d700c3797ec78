"""Many children in one domain; what fails stops nothing."""

import json
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.analyse import analyse
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise
from orderparam.series import Pair, PairSettings, analyse_series, read_list
from orderparam.tables import to_csv
from orderparam.testing import scramble

STRUCTURES = Path(__file__).parents[1] / "structures"
PARENT = str(STRUCTURES / "perovskite/LaMnO3_221.cif")
CHILD = STRUCTURES / "perovskite/LaMnO3_62.cif"


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    """Write the same distortion at several strengths, each in another domain and setting, and one wrong file."""
    folder = tmp_path_factory.mktemp("series")
    distortion = analyse(symmetrise(read_crystal(PARENT)), read_crystal(CHILD)).relation.distortion
    rng = np.random.default_rng(5)
    pairs = []
    for i, scale in enumerate((1.0, 0.8, 0.6, 0.3)):
        crystal = distortion.supercell.with_displacements(scale * distortion.displacements, scale * distortion.strain)
        (folder / f"{i}.cif").write_text(crystal_to_cif(scramble(crystal, rng)))
        pairs.append(Pair(PARENT, str(folder / f"{i}.cif"), {"scale": str(scale)}))
    (folder / "broken.cif").write_text("nothing")
    pairs.insert(2, Pair(PARENT, str(folder / "broken.cif"), {"scale": "0"}))
    return pairs


@pytest.mark.parametrize("jobs", [1, 2])
def test_components_follow_the_strength_in_one_domain(children, jobs):
    rows = analyse_series(children, PairSettings(), jobs=jobs)
    assert [row["child"] for row in rows] == [pair.child for pair in children]
    assert "not a crystal structure" in rows[2]["error"]
    good = [row for row in rows if "error" not in row]
    names = [name for name in good[0] if name.startswith(("R4+ [", "M3+ [", "X5+ [", "M2+ [", "strain GM3+ ["))]
    assert len(names) == 3 + 3 + 12 + 3 + 2  # X5+ has two copies of six components
    for row in good:
        for name in names:
            assert row[name] == pytest.approx(float(row["scale"]) * good[0][name], abs=1e-5), name


def test_the_rows_of_many_processes_are_those_of_one(children):
    assert to_csv(analyse_series(children, PairSettings(), jobs=3)) == to_csv(analyse_series(children, PairSettings()))


def test_a_list_file(children, tmp_path):
    text = "parent, child, temperature\n" + "".join(f"{p.parent},{p.child},{t}\n" for t, p in enumerate(children[:2]))
    (tmp_path / "pairs.csv").write_text(text)
    pairs = read_list(tmp_path / "pairs.csv")
    assert [p.extra for p in pairs] == [{"temperature": "0"}, {"temperature": "1"}]
    assert to_csv(analyse_series(pairs, PairSettings())).startswith("temperature,parent,child,space_group")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("parent,child\n\xff", "cannot be read \\(not comma-separated text"),
        ("", "names the columns parent,child"),
        ("a,b\n1,2\n", "found a,b"),
        ("parent,child\n", "no rows"),
        ("parent,child\nx.cif\n", "line 2: expected 2 entries"),
        ("parent,child\nx.cif,y.cif,z\n", "line 2: expected 2 entries .*, found x.cif,y.cif,z$"),
        ("parent,child\n\nx.cif,y.cif\nx.cif\n", "line 4: expected 2 entries .*, found x.cif$"),
        ("parent,child\nx.cif,\n", "line 2: expected 2 entries"),
    ],
)
def test_malformed_lists_are_refused_by_line(tmp_path, text, message):
    if text is not None:
        (tmp_path / "pairs.csv").write_text(text, encoding="latin-1")
    with pytest.raises(InvalidInputError, match=message):
        read_list(tmp_path / "pairs.csv")


def test_all_shipped_pairs_in_one_call():
    table = json.loads((Path(__file__).parent / "tables/pairs.json").read_text())
    pairs = [Pair(str(STRUCTURES / p["parent"]), str(STRUCTURES / p["child"])) for p in table[:8]]
    rows = analyse_series(pairs, PairSettings(), jobs=2)
    assert [row["space_group"] for row in rows] == [p["child_space_group"] for p in table[:8]]


def test_a_parent_is_read_once_for_all_its_children(children, monkeypatch):
    from orderparam import series
    from orderparam.crystals import reading

    series._whole_parent.cache_clear()
    series._parent.cache_clear()
    read = []

    def counted(path, **options):
        read.append(str(path))
        return reading.read_crystal(path, **options)

    monkeypatch.setattr("orderparam.discovery.pair.read_crystal", counted)
    monkeypatch.setattr("orderparam.series.read_crystal", counted, raising=False)
    rows = analyse_series(children, PairSettings(only=("Mn", "O")))
    assert ["error" in row for row in rows] == [False, False, True, False, False]
    assert sorted(read) == sorted([PARENT, *(pair.child for pair in children)])


def test_names_are_those_of_the_parent_or_the_child(children):
    (row,) = analyse_series(children[:1], PairSettings(ignore=("Xe",)))
    assert "--ignore Xe: no such species or site label" in row["error"]
