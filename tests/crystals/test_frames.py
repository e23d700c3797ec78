"""Of several structures one is taken, and it is said which."""

from dataclasses import replace

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.frames import CELL_JUMP, Frames, many, mean_of, parse_frame, pick
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.uncertainties import Uncertainties
from orderparam.errors import InvalidInputError
from orderparam.formats.xyz import extended_xyz
from tests.crystals.samples import FILES, STRUCTURES, assert_same, quartz, to_ase


def moved(crystal: Crystal, shift: float) -> Crystal:
    return Crystal(crystal.lattice, crystal.positions + np.array([shift, 0, 0]), crystal.species)


@pytest.mark.parametrize(
    ("frame", "index", "note"),
    [(None, 2, "3 frames; the last is taken"), ("last", 2, "3 frames; frame 3 is taken"), (3, 2, "frame 3 is taken"),
     ("first", 0, "frame 1 is taken"), (1, 0, "frame 1 is taken"), (2, 1, "frame 2 is taken"),
     ("2", 1, "frame 2 is taken")],
)  # fmt: skip
def test_which_is_taken(frame, index, note):
    crystals = [moved(quartz(), 0.01 * step) for step in range(3)]
    taken = pick(many(crystals), frame, "folder/run.traj")
    assert_same(taken, crystals[index])
    assert taken.notes[-1].startswith("run.traj: it holds 3 frames; ")
    assert note in taken.notes[-1].replace("it holds ", "")


@pytest.mark.parametrize("frame", [None, 1, "first", "last", "mean"])
def test_one_structure_needs_no_word(frame):
    assert pick(many([quartz()]), frame, "x").notes == quartz().notes


@pytest.mark.parametrize("frame", [0, -1, True, 1.0, "0", "-1", "middle", "", "1.5", "²", "9" * 30])
def test_what_is_no_frame(frame):
    with pytest.raises(InvalidInputError, match="expected a number from 1 on, first, last or mean"):
        parse_frame(frame)


def test_a_frame_that_is_not_there():
    with pytest.raises(InvalidInputError, match="there is no frame 3; the file holds 2 frames"):
        read_crystal(FILES / "traj.xyz", frame=3)
    with pytest.raises(InvalidInputError, match="there is no frame 2; the file holds 1 structure"):
        read_crystal(FILES / "qe.in", frame=2)
    with pytest.raises(InvalidInputError, match="there is no frame 2; the file holds 1 structure"):
        read_crystal(FILES / "parent_R-3m.cif", frame=2)
    assert read_crystal(FILES / "parent_R-3m.cif", frame="mean").n_sites == 12
    with pytest.raises(InvalidInputError, match="holds no structure"):
        many([])


def test_the_first_frame_differs_from_the_last():
    first, last = (read_crystal(FILES / "traj.xyz", frame=frame) for frame in (1, None))
    assert np.abs(first.positions - last.positions).max() > 0.03
    mean = read_crystal(FILES / "traj.xyz", frame="mean")
    assert_same(mean, Crystal(first.lattice, (first.positions + last.positions) / 2, first.species))
    assert mean.notes == ("traj.xyz: the mean of all 2 frames is taken",)


def test_the_mean_follows_atoms_through_the_faces_of_the_cell():
    """Frames wrapped into the cell have the mean of the frames that were not; also after more than half a cell."""
    crystal = quartz()
    frames = [moved(crystal, 0.07 * step) for step in range(20)]
    wrapped = [Crystal(c.lattice, c.positions - np.floor(c.positions), c.species) for c in frames]
    straight = np.mean([c.positions for c in frames], axis=0)
    assert np.abs(np.mean([c.positions for c in wrapped], axis=0) - straight).max() > 0.1  # what it guards against
    assert_same(mean_of(many(wrapped), "x"), Crystal(crystal.lattice, straight, crystal.species), 1e-9)


def test_the_mean_of_cells():
    crystal = quartz()
    other = Crystal(1.02 * crystal.lattice, crystal.positions, crystal.species)
    assert np.allclose(mean_of(many([crystal, other]), "x").lattice, 1.01 * crystal.lattice)


def test_uncertainties_of_one_frame_are_none_of_the_mean():
    crystal = quartz()
    sigmas = Uncertainties(crystal.positions, np.full((crystal.n_sites, 3), 1e-4), np.zeros(6))
    frames = [replace(moved(crystal, 0.01 * step), uncertainties=sigmas, notes=(f"frame {step}",)) for step in (1, 2)]
    mean = mean_of(many(frames), "x")
    assert mean.uncertainties is None
    assert mean.notes == ("frame 2",)


def test_no_mean_of_different_structures():
    crystal = quartz()
    shuffled = Crystal(crystal.lattice, crystal.positions[::-1], crystal.species[::-1])
    fewer = Crystal(crystal.lattice, crystal.positions[1:], crystal.species[1:])
    for other in (shuffled, fewer):
        with pytest.raises(InvalidInputError, match="no mean: frame 2 has other atoms than frame 1"):
            mean_of(many([crystal, other]), "x")
    for factor, fits in ((1 + 0.99 * CELL_JUMP, True), (1 + 1.01 * CELL_JUMP, False)):
        other = Crystal(factor * crystal.lattice, crystal.positions, crystal.species)
        if fits:
            mean_of(many([crystal, other]), "x")
            continue
        with pytest.raises(InvalidInputError, match="the cell of frame 2 has other axes than frame 1"):
            mean_of(many([crystal, other]), "x")


def test_frames_are_read_when_they_are_asked_for():
    asked = []

    def crystal(index):
        asked.append(index)
        return quartz()

    pick(Frames(10**6, crystal), "first", "x")
    pick(Frames(10**6, crystal), None, "x")
    assert asked == [0, 10**6 - 1]


@pytest.mark.parametrize("name", ["run.xyz", "run.traj", "run.db", "run.json", "run.axsf"])
def test_trajectories(tmp_path, name):
    from ase.io import write

    crystals = [moved(read_crystal(STRUCTURES / "quartz/SiO2_154.cif"), 0.01 * step) for step in range(3)]
    path = tmp_path / name
    write(path, [to_ase(crystal) for crystal in crystals], **({"format": "xsf"} if "xsf" in name else {}))
    for frame, expected in ((1, crystals[0]), (2, crystals[1]), (None, crystals[2]), ("mean", crystals[1])):
        assert_same(read_crystal(path, frame=frame), expected)
    with pytest.raises(InvalidInputError, match="there is no frame 4; the file holds 3 frames"):
        read_crystal(path, frame=4)


def test_frames_of_one_extended_xyz_may_differ(tmp_path):
    path = tmp_path / "both.xyz"
    cubic = read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif")
    path.write_text(extended_xyz([cubic, quartz()]))
    assert read_crystal(path, frame=1).formula == "SrTiO3"
    assert read_crystal(path).formula == "SiO2"
    with pytest.raises(InvalidInputError, match="no mean"):
        read_crystal(path, frame="mean")


def test_the_option():
    from typing import get_args

    import typer
    from orderparam_cli.options import Frame, frame_of

    option = next(part for part in get_args(Frame) if hasattr(part, "callback"))
    assert option.callback is frame_of
    assert [frame_of(text) for text in (None, "2", "first", "last", "mean")] == [None, "2", "first", "last", "mean"]
    with pytest.raises(typer.BadParameter, match="expected a number from 1 on"):
        frame_of("0")
