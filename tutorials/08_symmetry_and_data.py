# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Symmetry and data: augmentation against equivariance, measured
#
# Physics does not care how a crystal lies on the table. A network does, unless it is told. There are two ways to tell it:
#
# - **augmentation**: show it the same crystal in many orientations, and hope that it gets the idea;
# - **equivariance**: build it from operations that turn with their input, so that it has no choice.
#
# How many orientations does the first way need? In talks on equivariant networks one hears "about 500 times more data"; that
# number belongs to the case for which it was measured. This page measures its own, with networks small enough to train here
# in seconds, and whatever comes out is printed. Three networks get the same task: in SrTiO$_3$ the octahedra turn about one
# axis (a *tilt*). Given the cubic structure and the axis of every octahedron, where do the atoms go?
#
# *For the ML reader:* a tilt axis is a pseudovector, three numbers on each Ti atom. The answer, to first order, is the cross
# product of axis and bond: the rule of the right hand. That is what has to be learned.

# %%
from itertools import pairwise
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import torch
from scipy.spatial.transform import Rotation

from orderparam import analyse, discover, read_crystal, symmetrise
from orderparam.records import drawing_record
from orderparam.report import figures
from orderparam.report.figures.style import styled
from orderparam.report.folder import inputs_record
from orderparam.report.scene import build_scene

torch.set_num_threads(1)  # the networks are small: more threads are slower
here = Path.cwd()
perovskites = next(p for p in (here, *here.parents) if (p / "structures").is_dir()) / "structures" / "perovskite"
parent = symmetrise(read_crystal(perovskites / "SrTiO3_221.cif"))
analysis = analyse(parent, read_crystal(perovskites / "SrTiO3_140.cif"))
analysis

# %% [markdown]
# ## One orientation, equivariant
#
# `discover` fits its equivariant network to this one structure in this one orientation. The learned axes are drawn as arrows
# that run round them.

# %%
found = discover(analysis, seed=0)
figures.learned(build_scene(drawing_record(analysis)), inputs_record(found)["inputs"])

# %% [markdown]
# Now turn the crystal and the axes to 50 orientations at random, none of which the network has seen, and compare its answer
# with the displacements turned likewise. Errors on this page are root mean squares over atoms and orientations, in units of
# the root mean square displacement: 1 is as bad as predicting that nothing moves.

# %%
distortion = analysis.relation.distortion
supercell, displacements = distortion.supercell, np.array(distortion.displacements)
size = np.sqrt((displacements**2).sum(axis=1).mean())
(carrier, axes), *_ = found.fit.inputs.items()


def relative(errors):
    """Root mean square length of errors (..., 3) in units of that of the displacements."""
    return float(np.sqrt((np.asarray(errors) ** 2).sum(axis=-1).mean()) / size)


errors = []
for turn in Rotation.random(50, random_state=1).as_matrix():
    turned = found.fit.network.on(supercell.lattice @ turn.T, supercell.positions, supercell.species)
    answer, _ = turned.predict({carrier: axes @ turn.T})
    errors.append(answer - displacements @ turn.T)
equivariant = relative(errors)
print(f"trained on 1 orientation, error on 50 others: {equivariant:.1e}")

# %% [markdown]
# That is rounding. It has nothing to do with training: a network with random weights gives wrong displacements, but the same
# wrong ones in every orientation.
#
# ## Two plain networks
#
# To be fair, the rivals get the same input (Cartesian vectors between atoms, and the axes) and a loss in the same units; they
# have no idea how components of vectors belong together.
#
# - The **graph network** works atom by atom: every atom gets a message from each Ti neighbour, made of the vector between
#   them and the axis there, adds the messages up and decides where to go. Like the equivariant one it does not care where the
#   crystal is, or in which order its atoms come.
# - The **perceptron** gets all numbers of the structure in one row and returns all displacements in one row.

# %%
titanium = [i for i, species in enumerate(supercell.species) if species == "Ti"]
edge = parent.lattice[0, 0]
cartesian = supercell.positions @ supercell.lattice
cells = np.stack(np.meshgrid(*[[-2, -1, 0, 1, 2]] * 3, indexing="ij"), axis=-1).reshape(-1, 3) @ supercell.lattice
pairs = [
    (atom, ti, cartesian[ti] + cell - cartesian[atom])
    for atom in range(supercell.n_atoms)
    for ti in titanium
    for cell in cells
    if atom not in titanium and np.linalg.norm(cartesian[ti] + cell - cartesian[atom]) < 0.95 * edge
]
receivers, senders = torch.tensor([p[0] for p in pairs]), torch.tensor([p[1] for p in pairs])
vectors = np.array([p[2] for p in pairs]) / (edge / 2)
scaled_axes = axes / np.linalg.norm(axes[titanium], axis=1).max()
kinds = sorted(set(supercell.species))
species = torch.eye(len(kinds))[[kinds.index(s) for s in supercell.species]]
print(f"{len(pairs)} messages per structure of {supercell.n_atoms} atoms")


def perceptron(*widths):
    """A chain of linear maps with smooth steps between them."""
    layers = [part for a, b in pairwise(widths) for part in (torch.nn.Linear(a, b), torch.nn.SiLU())]
    return torch.nn.Sequential(*layers[:-1])


class PlainGraph(torch.nn.Module):
    def __init__(self, width=48):
        super().__init__()
        n = len(kinds)
        self.message, self.answer = perceptron(6 + n, width, width, width), perceptron(width + n, width, width, 3)

    def forward(self, vectors, axes):
        count, n_atoms = len(vectors), len(species)
        told = torch.cat([vectors, axes[:, senders], species[receivers].expand(count, -1, -1)], dim=-1)
        messages = self.message(told)
        heard = torch.zeros(count, n_atoms, messages.shape[-1]).index_add(1, receivers, messages)
        return self.answer(torch.cat([heard, species.expand(count, -1, -1)], dim=-1))


class PlainRow(torch.nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.chain = perceptron(3 * (len(pairs) + len(titanium)), width, width, 3 * len(species))

    def forward(self, vectors, axes):
        row = torch.cat([vectors.flatten(1), axes[:, titanium].flatten(1)], dim=1)
        return self.chain(row).unflatten(1, (-1, 3))


# %% [markdown]
# Training: a number of copies of the crystal, each in an orientation drawn uniformly at random, 400 steps of Adam with the
# learning rate going up and down once. Test: 100 orientations that are in no training set.


# %%
def copies(count, seed):
    """The structure in `count` random orientations: vectors, axes and displacements, as tensors."""
    turns = Rotation.random(count, random_state=seed).as_matrix()
    fields = (vectors, scaled_axes, displacements / size)
    return [torch.tensor(np.einsum("nij,ej->nei", turns, field), dtype=torch.float32) for field in fields]


def squared(network, data):
    return ((network(data[0], data[1]) - data[2]) ** 2).sum(dim=-1).mean()


unseen = copies(100, seed=999)


def trained_error(kind, count, seed, steps=400, rate=5e-3):
    """Train a plain network on `count` orientations; return its error on these and on others."""
    torch.manual_seed(seed)
    network, data = kind(), copies(count, seed)
    adam = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, rate, total_steps=steps)
    for _ in range(steps):
        batch = torch.randperm(count)[:32]
        loss = squared(network, [part[batch] for part in data])
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    with torch.no_grad():
        return float(squared(network, data).sqrt()), float(squared(network, unseen).sqrt())


counts = [1, 2, 4, 8, 16, 32, 64, 128]
seeds = (0, 1)
networks = {"graph network": PlainGraph, "perceptron": PlainRow}
curves, own = {}, {}
for name, kind in networks.items():
    results = np.array([[trained_error(kind, count, seed) for seed in seeds] for count in counts])
    own[name], curves[name] = np.median(results, axis=1).T
    print(f"{name}: error on the copies it was trained on, and on other orientations")
    for count, mine, others in zip(counts, own[name], curves[name], strict=True):
        print(f"   {count:4} copies   {mine:8.4f}   {others:8.4f}")

# %%
chart = styled(go.Figure(), height=420)
for (name, curve), mark, dash in zip(curves.items(), ("circle", "square"), ("solid", "dash"), strict=True):
    chart.add_scatter(x=counts, y=curve, name=name, mode="lines+markers", marker_symbol=mark, line_dash=dash)
chart.add_scatter(x=[1], y=[equivariant], name="equivariant", mode="markers", marker={"symbol": "star", "size": 14})
chart.update_xaxes(type="log", title="orientations trained on")
chart.update_yaxes(type="log", title="error in other orientations", exponentformat="power", dtick=2)
chart


# %% [markdown]
# With one copy both fit that copy and know nothing else: an error near 1 is that of a network which never moves an atom. Then
# they get the idea, and somewhere on the way the error on *unseen* orientations falls to that on the copies. From there on
# more copies do not help: what is left is how well a network of this size and training time approximates a cross product.
# How many copies does that take?


# %%
def needed(curve, level):
    """Copies at which a curve goes below a level, interpolated; None where it never does."""
    below = next((i for i, error in enumerate(curve) if error < level), None)
    if not below:
        return None if below is None else counts[0]
    x, y = np.log(counts[below - 1 : below + 1]), np.log(curve[below - 1 : below + 1])
    return float(np.exp(x[0] + (np.log(level) - y[0]) / (y[1] - y[0]) * (x[1] - x[0])))


copies_for = {name: {level: needed(curve, level) for level in (0.3, 0.1, 0.05)} for name, curve in curves.items()}
for name, levels in copies_for.items():
    told = ", ".join(
        f"{n:.0f} for {level:.0%}" if n else f"more than 128 for {level:.0%}" for level, n in levels.items()
    )
    print(f"{name}: copies needed: {told}")
best = min(curve.min() for curve in curves.values())
print(f"the best of them all is {best:.4f}; the equivariant network, from one orientation, {equivariant:.1e}")


# %% [markdown]
# So the number is not a constant of nature. The graph network needs far fewer copies than the perceptron, because one copy
# holds several oxygen atoms whose bonds point in different directions, and it treats them alike: sharing weights between
# atoms is a piece of symmetry, too. A harder rule, or a larger range of structures, takes more (the 500 of the talks were for
# another case). And neither plain network gets anywhere near the equivariant one, whatever the number of copies: it would
# have to represent the rule exactly, and it only ever approximates.
#
# ## A warning about such comparisons
#
# There is a plain model that does it with nine copies, and it is linear regression. For *one* rigid structure all that enters
# and all that comes out is linear in the rotation matrix, which has nine entries:


# %%
def regression_error(count):
    """Least squares from all numbers that describe the structure to all displacements."""

    def rows(turns):
        return [np.einsum("nij,ej->nei", turns, field).reshape(len(turns), -1) for field in (vectors, displacements)]

    known, asked = (rows(Rotation.random(n, random_state=seed).as_matrix()) for n, seed in ((count, 5), (100, 6)))
    matrix, *_ = np.linalg.lstsq(known[0], known[1], rcond=1e-10)
    return relative((asked[0] @ matrix - asked[1]).reshape(100, -1, 3))


linear = {count: regression_error(count) for count in (1, 4, 8, 9, 10)}
print(", ".join(f"{count} copies: {error:.0e}" for count, error in linear.items()))

# %% [markdown]
# It has not learned what a tilt is: it never looked at the axes. Reverse them, and it predicts the same displacements as
# before, where the atoms should go the other way. The equivariant network has seen no more tilts than that, and does turn the
# octahedra the other way: the reversed tilt is the same one a cell further on (one of the child's domains).

# %%
reversed_answer, _ = found.fit.network.predict({carrier: -axes})
print(f"axes reversed: the equivariant network errs by {relative(reversed_answer + displacements):.0e}")

# %% [markdown]
# What to take home: equivariance is not a way to save *some* data. It replaces the question "how many orientations?" by "one",
# and turns an approximation into an identity; the more so for the program you are looking at, which reads symmetry off what a
# network cannot do, and could not if symmetry held to one per cent only.
#
# The results, as assertions (with wide margins where chance plays a part).

# %%
assert equivariant < 1e-9
assert relative(reversed_answer + displacements) < 1e-9
for name, curve in curves.items():
    assert own[name][0] < 0.05  # one copy is fitted ...
    assert curve[0] > 0.5  # ... and nothing else is known
    assert curve[-1] < 0.1  # many copies teach it
    assert curve.min() > 1e6 * equivariant  # but never exactly
assert 3 < copies_for["graph network"][0.1] < 20
assert 20 < copies_for["perceptron"][0.1] < 120
assert len(pairs) == 28  # 6 O with 2 Ti each, 2 Sr with 8
assert linear[8] > 0.05
assert linear[9] < 1e-6
