"""What is drawn is what was found: scenes against structures, zones against lattices, shapes against harmonics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.distort import Pattern
from orderparam.errors import InvalidInputError, RecordError
from orderparam.o3 import Irrep, spherical_harmonics, wigner_d
from orderparam.parent import symmetrise
from orderparam.records import modes_record
from orderparam.records.drawing import directions_drawing, domains_drawing, drawing_record, subgroups_drawing
from orderparam.report import scene as drawing_scene
from orderparam.report.figures.charts import amplitudes
from orderparam.report.figures.meshes import Mesh, arrow, circulation, harmonic_surface, sphere
from orderparam.report.figures.structure import structure
from orderparam.report.figures.zone import shortest_copies, zone_facets
from orderparam.report.scene import Scene, build_scene, element
from orderparam.spacegroup import report_symmetry
from orderparam.subgroups import find_domains, subgroup_graph
from orderparam.symmetry.parentirreps import named_irrep
from orderparam.symmetry.strata import find_directions

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = [
    "perovskite/LaMnO3_221 perovskite/LaMnO3_62",
    "ruddlesden_popper/Ca3Ti2O7_139 ruddlesden_popper/Ca3Ti2O7_36",
    "fluorite/ZrO2_225 fluorite/ZrO2_14",
    "quartz/SiO2_180 quartz/SiO2_154",
    "elements/In_225 elements/In_139",
    "martensite/AuCd_221 martensite/AuCd_51",
]


def pair(names: str) -> Analysis:
    parent, child = (read_crystal(STRUCTURES / f"{name}.cif") for name in names.split())
    return analyse(symmetrise(parent), child)


def crystal_of(scene: Scene, state: int) -> Crystal:
    """Return the structure of one state of a scene."""
    weights = [float(i == state) for i in range(len(scene.parts))]
    field, strain = scene.moved(weights)
    positions = scene.positions + field @ np.linalg.inv(scene.lattice)
    return Crystal(scene.lattice @ (np.eye(3) + strain), positions, scene.species)


def assert_drawn(places: np.ndarray, atoms: np.ndarray, crystal: Crystal) -> None:
    gaps = places @ np.linalg.inv(crystal.lattice) - crystal.positions[atoms]
    assert np.abs(gaps - np.rint(gaps)).max() < 1e-6


@pytest.mark.parametrize("names", PAIRS, ids=lambda n: n.split("/")[-1])
def test_the_parts_add_up_to_the_child(names):
    analysis = pair(names)
    distortion = analysis.relation.distortion
    scene = build_scene(drawing_record(analysis))
    assert_drawn(scene.anchored(), scene.atoms, distortion.crystal())
    assert_drawn(scene.anchored([0.0] * len(scene.parts)), scene.atoms, distortion.reference())
    assert len({(a, *np.round(p, 3).tolist()) for a, p in zip(scene.atoms, scene.places, strict=True)}) == len(
        scene.atoms
    )
    # a cell holds its atoms: corners, edges and faces counted by the part that is inside
    inside = (scene.places - scene.cell_origin) @ np.linalg.inv(scene.cell)
    inside = inside[np.all((inside > -2e-3) & (inside < 1 + 2e-3), axis=1)]
    shared = np.where((np.abs(inside) < 2e-3) | (np.abs(inside - 1) < 2e-3), 0.5, 1.0).prod(axis=1)
    cells = abs(np.linalg.det(scene.cell) / np.linalg.det(scene.lattice))
    assert shared.sum() == pytest.approx(cells * distortion.supercell.n_atoms)


def test_polyhedra_of_known_structures():
    scene = build_scene(drawing_record(pair(PAIRS[0])))
    assert set(scene.faces) == {"Mn"}
    centres = int((scene.anchor_species[: len(scene.atoms)] == "Mn").sum())
    assert len(scene.faces["Mn"]) == 8 * centres  # octahedra
    kinds = scene.anchor_species[scene.bonds]
    assert {tuple(sorted(k)) for k in kinds.tolist()} == {("Mn", "O")}
    assert len(scene.bonds) == 6 * centres
    silica = build_scene(drawing_record(pair(PAIRS[3])))
    assert set(silica.faces) == {"Si"}
    assert len(silica.faces["Si"]) == 4 * int((silica.anchor_species == "Si").sum())  # tetrahedra
    strontium = build_scene(drawing_record(pair("perovskite/SrTiO3_221 perovskite/SrTiO3_140")))
    assert set(strontium.faces) == {"Ti"}
    metal = build_scene(drawing_record(pair(PAIRS[4])))
    assert not metal.faces
    assert len(metal.bonds)


def test_the_states_of_a_graph_have_its_groups():
    analysis = pair(PAIRS[0])
    graph = subgroup_graph(analysis)
    scene = build_scene(subgroups_drawing(analysis, graph))
    assert not scene.additive
    realised = [n for n in graph.nodes if n.is_realised or n.is_realised_with_strain]
    assert len(realised) > 5
    for node in realised:
        assert report_symmetry(crystal_of(scene, node.number), 1e-5).number == node.space_group[0]


def test_the_states_of_domains_are_the_child_again():
    analysis = pair("perovskite/SrTiO3_221 perovskite/SrTiO3_140")
    domains = find_domains(analysis)
    scene = build_scene(domains_drawing(analysis, domains))
    assert len(scene.parts) == len(domains) == 6
    found = [crystal_of(scene, n) for n in range(6)]
    assert {report_symmetry(c, 1e-4).number for c in found} == {140}
    fields = [p.field for p in scene.parts]
    assert all(np.abs(fields[i] - fields[j]).max() > 1e-3 for i in range(6) for j in range(i))


def test_the_states_of_directions_have_their_isotropy_subgroups():
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))
    irreps = (named_irrep(parent, "M3+"),)
    directions = find_directions(parent, irreps)
    scene = build_scene(directions_drawing(irreps, directions, Pattern(0.3)))
    for number, direction in enumerate(directions):
        assert report_symmetry(crystal_of(scene, number), 1e-4).number == direction.subgroup.space_group[0]
    with pytest.raises(InvalidInputError, match="no direction to draw"):
        directions_drawing(irreps, (), Pattern(0.3))


def test_a_cell_too_large_to_draw_says_so(monkeypatch):
    drawing = drawing_record(pair(PAIRS[0]))
    whole = build_scene(drawing)
    assert whole.n_left_out == 0
    monkeypatch.setattr(drawing_scene, "MOST_ANCHORS", 12)
    scene = build_scene(drawing)
    assert scene.n_left_out > 0
    assert scene.left_out == drawing_scene.left_out(drawing)
    assert f"{scene.n_left_out} copies" in scene.left_out
    told = [a.text for a in structure(scene).layout.annotations]
    assert told == [scene.left_out.partition(";")[0]]
    assert not structure(whole).layout.annotations
    assert len(scene.species) == 20
    assert_drawn(scene.anchored(), scene.atoms, pair(PAIRS[0]).relation.distortion.crystal())


def test_an_incomplete_record_is_refused():
    drawing = drawing_record(pair(PAIRS[4]))
    with pytest.raises(RecordError, match="'cell'"):
        build_scene({k: v for k, v in drawing.items() if k != "cell"})
    with pytest.raises(RecordError, match="positions"):
        build_scene(drawing | {"positions": [[0, 0, 0], [0.5, 0, 0]]})


def test_elements_look_as_in_jmol():
    assert element("O").colour == "#ff0d0d"
    assert element("La").colour == "#70d4ff"
    assert element("La").radius == 2.07
    assert element("Ca0.5Sr0.5") == element("Ca")
    assert element("<b>").colour == element("Xx").colour == "#ff1493"


@pytest.mark.parametrize(
    ("reciprocal", "faces", "corner", "copies"),
    [
        (np.eye(3), 6, [0.5, 0.5, 0.5], 8),
        (np.array([[-1.0, 1, 1], [1, -1, 1], [1, 1, -1]]), 14, [0.5, 0.5, 0.0], 2),  # fcc: truncated octahedron, X
        (np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]), 12, [0.5, 0.5, 0.5], 6),  # bcc: rhombic dodecahedron, H
    ],
)
def test_the_brillouin_zone(reciprocal, faces, corner, copies):
    facets = zone_facets(reciprocal)
    assert len(facets) == faces
    hull = ConvexHull(np.concatenate(facets))
    assert hull.volume == pytest.approx(abs(np.linalg.det(reciprocal)))
    found = shortest_copies(np.array(corner), reciprocal)
    assert len(found) == copies
    assert np.abs(hull.equations[:, :3] @ found.T + hull.equations[:, 3:]).min(axis=0).max() < 1e-9  # on the surface


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_sphere_is_closed_and_faces_outward(level):
    ball = sphere(level)
    edges = {tuple(sorted(e)) for t in ball.triangles.tolist() for e in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))}
    assert len(ball.vertices) - len(edges) + len(ball.triangles) == 2
    assert len(ball.triangles) == 20 * 4**level
    assert np.linalg.norm(ball.vertices, axis=1) == pytest.approx(1)
    a, b, c = np.moveaxis(ball.vertices[ball.triangles], 1, 0)
    assert (np.einsum("ni,ni->n", np.cross(b - a, c - a), a + b + c) > 0).all()


@pytest.mark.parametrize("name", ["2e", "2o", "3o", "4e"])
def test_surfaces_follow_their_harmonics_and_turn_with_them(name):
    rng = np.random.default_rng(1)
    irrep = Irrep.parse(name)
    components = rng.normal(size=irrep.dim)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    rotation *= np.linalg.det(rotation)
    turned = wigner_d(irrep, rotation[None])[0] @ components
    for c, frame in ((components, np.eye(3)), (turned, rotation)):
        for mesh, sign in zip(harmonic_surface(irrep, c, 1.0, 3), (1, -1), strict=True):
            radii = np.linalg.norm(mesh.vertices, axis=1)
            kept = radii > 0.2  # away from the nodes
            values = spherical_harmonics(irrep.l, mesh.vertices[kept] @ frame) @ components
            assert (np.sign(values) == sign).all()
            assert np.ptp(np.abs(values) / radii[kept]) < 1e-9 * np.abs(values).max() + 1e-9


def test_a_circulating_arrow_obeys_the_right_hand():
    axis = np.array([0.3, -1.0, 0.7])
    mesh = circulation(axis, 1.0, 0.1)
    ring = mesh.vertices[: 28 * 8].reshape(28, 8, 3).mean(axis=1)
    assert (np.cross(ring[:-1], ring[1:]) @ axis > 0).sum() >= 26
    flipped = circulation(-axis, 1.0, 0.1).vertices[: 28 * 8].reshape(28, 8, 3).mean(axis=1)
    assert (np.cross(flipped[:-1], flipped[1:]) @ axis < 0).sum() >= 26


def test_an_arrow_points_along_its_vector():
    vector = np.array([1.0, 2.0, -0.5])
    mesh = arrow(vector, 0.05)
    along = mesh.vertices @ vector / np.linalg.norm(vector)
    assert np.ptp(along) == pytest.approx(np.linalg.norm(vector))
    tip = mesh.vertices[np.argmax(along)]
    assert tip == pytest.approx(vector / 2, abs=1e-3)


def test_meshes_are_copied():
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]])).at(np.array([[0.0, 0, 0], [1, 1, 1]]))
    assert mesh.triangles.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert mesh.vertices[3:] == pytest.approx(np.eye(3) + 1)


def test_amplitudes_have_bars_of_error_only_where_there_are_errors():
    analysis = pair(PAIRS[0])
    record = modes_record(analysis)
    plain = amplitudes(record | {"irreps": [i | {"amplitude_error": None} for i in record["irreps"]]})
    assert all(bar.error_y.array is None for bar in plain.data)
    known = amplitudes(record | {"irreps": [i | {"amplitude_error": 0.01} for i in record["irreps"]]})
    assert all(set(bar.error_y.array) == {0.01} for bar in known.data)
    drawn = {name: size for bar in known.data for name, size in zip(bar.x, bar.y, strict=True)}
    assert drawn == pytest.approx({o.label: o.amplitude_supercell for o in analysis.decomposition.displacive})
