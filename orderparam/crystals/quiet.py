"""Third-party parsers speak to the log and to the crystal's notes, not to the user's terminal."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

log = logging.getLogger(__name__)

LONGEST = 200
"""Characters of a parser's remark that a note holds."""
TO_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what third-party parsers print or warn about away from the user's terminal; it goes to the log."""
    with overheard():
        yield


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Do the same, and fill a list with what was said, for notes; what is meant for developers is left to the log."""
    said: list[str] = []
    out, err = io.StringIO(), io.StringIO()
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(out), redirect_stderr(err):
        warnings.simplefilter("always")
        yield said
    remarks = [(str(w.message), not issubclass(w.category, TO_DEVELOPERS)) for w in caught]
    for text, to_user in (*remarks, (out.getvalue(), True), (err.getvalue(), True)):
        line = " ".join(text.split())
        if line:
            log.info("parser: %s", text.strip())
        if line and to_user and line[:LONGEST] not in said:
            said.append(line[:LONGEST])
