"""What the operators' side keeps, one aggregate a file."""

from ops.models.forms import SentForm

__all__ = ["SentForm"]
