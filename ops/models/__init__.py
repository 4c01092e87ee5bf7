"""What the operators' side keeps, one aggregate a file."""

from ops.models.forms import SentForm
from ops.models.invariants import InvariantCheck
from ops.models.reveals import LONGEST_REVEAL, ContentReveal

__all__ = ["LONGEST_REVEAL", "ContentReveal", "InvariantCheck", "SentForm"]
