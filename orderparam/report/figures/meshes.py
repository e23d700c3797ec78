"""Triangle meshes: spheres, rings with an arrow head, surfaces of spherical harmonics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from orderparam.o3 import Irrep, spherical_harmonics

CIRCULATION = np.radians(290.0)
"""How much of a turn the arrow of a pseudovector goes round."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Vertices (v, 3) and triangles (t, 3) of their numbers."""

    vertices: np.ndarray
    triangles: np.ndarray

    def __add__(self, other: Mesh) -> Mesh:
        shifted = other.triangles + len(self.vertices)
        return Mesh(np.concatenate([self.vertices, other.vertices]), np.concatenate([self.triangles, shifted]))

    def at(self, places: np.ndarray) -> Mesh:
        """Return one copy at every place (n, 3)."""
        vertices = (places[:, None] + self.vertices).reshape(-1, 3)
        steps = len(self.vertices) * np.arange(len(places))
        return Mesh(vertices, (steps[:, None, None] + self.triangles).reshape(-1, 3))


@cache
def sphere(level: int) -> Mesh:
    """Return a unit sphere: an icosahedron, its faces divided into four `level` times."""
    golden = (1 + np.sqrt(5)) / 2
    corners = [(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    points = np.array([np.roll(c, k) for c in corners for k in range(3)], float)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    from scipy.spatial import ConvexHull

    for _ in range(level):
        triangles = _outward(points, ConvexHull(points).simplices)
        edges = np.unique(np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
                                  .reshape(-1, 2), axis=1), axis=0)  # fmt: skip
        middles = points[edges].sum(axis=1)
        points = np.concatenate([points, middles / np.linalg.norm(middles, axis=1, keepdims=True)])
    return Mesh(points, _outward(points, ConvexHull(points).simplices))


def _outward(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Turn every triangle so that it runs counter-clockwise seen from outside."""
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    inward = np.einsum("ni,ni->n", np.cross(b - a, c - a), a + b + c) < 0
    triangles = triangles.copy()
    triangles[inward] = triangles[inward][:, ::-1]
    return triangles


def frame_of(direction: np.ndarray) -> np.ndarray:
    """Return three orthonormal rows, right-handed, the last along a direction."""
    third = direction / np.linalg.norm(direction)
    helper = np.eye(3)[np.argmin(np.abs(third))]
    first = np.cross(helper, third)
    first /= np.linalg.norm(first)
    return np.array([first, np.cross(third, first), third])


def _tube(centres: np.ndarray, first: np.ndarray, second: np.ndarray, radii: np.ndarray, sides: int = 8) -> Mesh:
    """Return a tube through centres (n, 3) whose cross sections are spanned by two vectors each."""
    angles = 2 * np.pi * np.arange(sides) / sides
    ring = np.cos(angles)[None, :, None] * first[:, None] + np.sin(angles)[None, :, None] * second[:, None]
    vertices = (centres[:, None] + radii[:, None, None] * ring).reshape(-1, 3)
    here = np.arange(sides)
    beside = (here + 1) % sides
    triangles = []
    for k in range(len(centres) - 1):
        low, high = k * sides, (k + 1) * sides
        triangles += [*zip(low + here, low + beside, high + here, strict=True)]
        triangles += [*zip(low + beside, high + beside, high + here, strict=True)]
    return Mesh(vertices, np.array(triangles))


def arrow(vector: np.ndarray, thickness: float) -> Mesh:
    """Return an arrow centred on the origin."""
    length = float(np.linalg.norm(vector))
    first, second, along = frame_of(vector)
    head = min(4 * thickness, 0.6 * length)
    heights = np.array([-length / 2, -length / 2, length / 2 - head, length / 2 - head, length / 2])
    radii = np.array([1e-4, thickness, thickness, 2.6 * thickness, 1e-4])
    n = len(heights)
    return _tube(heights[:, None] * along, np.tile(first, (n, 1)), np.tile(second, (n, 1)), radii)


def circulation(axis: np.ndarray, radius: float, thickness: float) -> Mesh:
    """Return an arrow that goes round an axis by the right-hand rule, as a pseudovector does, and the axis."""
    first, second, along = frame_of(axis)
    head = min(5.5 * thickness / radius, 1.2)
    angles = np.concatenate([np.linspace(0, CIRCULATION - head, 22), np.linspace(CIRCULATION - head, CIRCULATION, 6)])
    radii = np.concatenate([np.full(22, thickness), np.linspace(2.6 * thickness, 1e-3, 6)])
    radii[0] = 1e-3
    outward = np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second
    ring = _tube(radius * outward, outward, np.tile(along, (len(angles), 1)), radii)
    ends = 1.25 * radius * np.array([[-1.0], [-1.0], [1.0], [1.0]]) * along
    thin = np.array([1e-3, 0.4, 0.4, 1e-3]) * thickness
    return ring + _tube(ends, np.tile(first, (4, 1)), np.tile(second, (4, 1)), thin)


def harmonic_surface(irrep: Irrep, components: np.ndarray, size: float, level: int) -> tuple[Mesh, Mesh]:
    """Return the lobes of ``f(n) = components . Y_l(n)`` where it is positive, and where it is negative.

    The surface is at ``size |f(n)| / max |f|`` in the direction n.
    """
    ball = sphere(level)
    values = spherical_harmonics(irrep.l, ball.vertices) @ components
    lobes = []
    for part in (np.maximum(values, 0), np.maximum(-values, 0)):
        surface = ball.vertices * (size * part / np.abs(values).max())[:, None]
        lobes.append(_part(surface, ball.triangles[(part[ball.triangles] > 0).any(axis=1)]))
    return lobes[0], lobes[1]


def _part(vertices: np.ndarray, triangles: np.ndarray) -> Mesh:
    """Return a mesh without the vertices that no triangle uses."""
    used, numbers = np.unique(triangles, return_inverse=True)
    return Mesh(vertices[used], numbers.reshape(-1, 3))
