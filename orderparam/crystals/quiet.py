"""Third-party parsers speak to the log, not to the user's terminal."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

log = logging.getLogger(__name__)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what third-party parsers print or warn about away from the user's terminal; it goes to the log."""
    out, err = io.StringIO(), io.StringIO()
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(out), redirect_stderr(err):
        warnings.simplefilter("always")
        yield
    for text in (*(str(w.message) for w in caught), out.getvalue(), err.getvalue()):
        if text.strip():
            log.info("parser: %s", text.strip())
