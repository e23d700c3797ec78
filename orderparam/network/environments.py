"""Sites that cannot be told apart by their neighbours: where an undistorted parent needs to be evaluated only once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, eq=False)
class SiteGraph:
    """Who sends to whom, by edge vector, and which sites are of one species.

    Attributes
    ----------
    by_vector : list of (centres, neighbours), int64
        The edges along every distinct vector, in order.
    by_kind : list of int64
        Sites of every species.
    """

    by_vector: list[tuple[torch.Tensor, torch.Tensor]]
    by_kind: list[torch.Tensor]

    @classmethod
    def build(
        cls, kinds: np.ndarray, centres: np.ndarray, neighbours: np.ndarray, vectors: np.ndarray, n_vectors: int
    ) -> SiteGraph:
        """Sort edges by the number of their vector; `kinds` are the species (n_sites,) by number."""
        order = np.argsort(vectors, kind="stable")
        sizes = np.bincount(vectors, minlength=n_vectors).tolist()
        ends = [torch.from_numpy(array[order]).split(sizes) for array in (centres, neighbours)]
        by_kind = [torch.from_numpy(np.flatnonzero(kinds == kind)) for kind in range(int(kinds.max()) + 1)]
        return cls(list(zip(*ends, strict=True)), by_kind)


def environments(kinds: np.ndarray, centres: np.ndarray, neighbours: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the class (n_sites,) of every site: the coarsest equitable partition of the graph of neighbours.

    Sites of one class have the same species and, along every edge vector, neighbours of one class; a function of the
    surroundings alone is the same on all of them. Classes are refined by the sum, modulo 2^64, of random numbers for
    (edge vector, class of the neighbour) until nothing changes. For a crystal they are its sites modulo translations.

    Parameters
    ----------
    kinds : (n_sites,) int64
        Species.
    centres, neighbours, vectors : (n_edges,) int64
        Edges, and the number of the vector along each.
    """
    rng, classes, count = np.random.default_rng(0), kinds, 0
    while (found := int(classes.max()) + 1) > count:
        count = found
        numbers = rng.integers(2**63, size=(int(vectors.max(initial=0)) + 1, count), dtype=np.uint64)
        sums = np.zeros(len(kinds), np.uint64)
        np.add.at(sums, centres, numbers[vectors, classes[neighbours]])
        marks = np.stack([classes.astype(np.uint64), sums], axis=1)
        classes = np.unique(marks, axis=0, return_inverse=True)[1].ravel()
    return classes
