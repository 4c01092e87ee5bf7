"""What the operators' side keeps, one aggregate a file."""

from ops.models.forms import SentForm
from ops.models.invariants import InvariantCheck

__all__ = ["InvariantCheck", "SentForm"]
