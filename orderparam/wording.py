"""Singular and plural in messages."""

from __future__ import annotations


def counted(n: int, one: str, several: str = "") -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "atom"), counted(2, "atom"), counted(0, "copy", "copies")
    ('1 atom', '2 atoms', '0 copies')
    """
    return f"{n} {agreeing(n, one, several or one + 's')}"


def agreeing(n: int, one: str, several: str) -> str:
    """Return the word that goes with a number.

    Examples
    --------
    >>> agreeing(1, "follows", "follow"), agreeing(3, "follows", "follow")
    ('follows', 'follow')
    """
    return one if n == 1 else several
