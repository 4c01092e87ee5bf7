"""What the operators' side keeps, one aggregate a file."""

from ops.models.forms import SentForm
from ops.models.invariants import InvariantCheck
from ops.models.notes import LONGEST_NOTE, UserNote
from ops.models.reveals import LONGEST_REVEAL, ContentReveal
from ops.models.secondfactors import Authenticator, RecoveryCode
from ops.models.sessions import StaffSession
from ops.models.undone import UndoneAct

__all__ = [
    "LONGEST_NOTE",
    "LONGEST_REVEAL",
    "Authenticator",
    "ContentReveal",
    "InvariantCheck",
    "RecoveryCode",
    "SentForm",
    "StaffSession",
    "UndoneAct",
    "UserNote",
]
