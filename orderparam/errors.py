"""Every error that the package raises on purpose.

A message says what was expected, what was found and what to try. The command line prints it as one line and exits
with 1; any other exception is a bug and shows its traceback.
"""

from __future__ import annotations


class OrderParamError(Exception):
    """Base of all errors that a user can cause."""


class InvalidInputError(OrderParamError, ValueError):
    """A file, an option or a value is not what the program needs."""


class SymmetryError(OrderParamError):
    """A space group could not be found, or two groups do not fit each other."""


class MatchingError(OrderParamError):
    """The child cannot be understood as a distortion of the parent."""


class ConvergenceError(OrderParamError):
    """An iteration did not reach its tolerance."""


class RecordError(OrderParamError, ValueError):
    """A result file is incomplete or of a version that this program does not read."""
