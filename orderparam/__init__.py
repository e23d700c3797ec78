"""orderparam: what breaks the symmetry of a crystal."""

__version__ = "0.1.0"
