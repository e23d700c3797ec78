"""Which atom of the child comes from which atom of the parent."""

from .composition import compare_compositions, same_mixtures
from .match import Correspondence, match

__all__ = ["Correspondence", "compare_compositions", "match", "same_mixtures"]
