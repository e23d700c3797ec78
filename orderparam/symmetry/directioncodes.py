"""The short codes by which ISOTROPY and ISODISTORT name order-parameter directions."""

from __future__ import annotations

from .strata import Direction

_THREE = {"(a,0,0)": "P1", "(a,a,0)": "P2", "(a,a,a)": "P3", "(a,b,0)": "C1", "(a,a,b)": "C2", "(a,b,c)": "S1"}
_LETTER = {1: "P", 2: "C", 3: "S"}


def direction_code(direction: Direction) -> str | None:
    """Return P1, C1, S1 ... where the class follows from the direction itself, else None.

    P, C and S stand for one, two and three parameters, 4D, 6D ... for more; the numbers count a table of vectors for
    every dimension (Stokes & Hatch 1988). Here are those of one to three dimensions whose vectors are known, and the
    general direction, which has number 1; coupled directions have no code.

    Examples
    --------
    >>> from orderparam.parent import abstract_parent
    >>> from orderparam.symmetry.parentirreps import named_irrep
    >>> from orderparam.symmetry.strata import find_directions
    >>> parent = abstract_parent(221)
    >>> [direction_code(d) for d in find_directions(parent, [named_irrep(parent, "R4+")])]
    ['P1', 'P2', 'P3', 'C1', 'C2', 'S1']
    """
    if len(direction.images.irreps) > 1:
        return None
    dimension, free = direction.images.dimension, direction.n_free
    if free == dimension:
        return f"{_LETTER.get(free, f'{free}D')}1"
    symbol = direction.symbol.replace(";", ",")
    if dimension == 2:
        return "P1" if symbol == "(a,0)" else None
    return _THREE.get(symbol) if dimension == 3 else None
