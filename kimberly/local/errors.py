"""What the person at the terminal can do something about."""


class StackError(Exception):
    """The stack cannot go on; the message is one line and says what to do."""
