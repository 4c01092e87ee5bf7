"""Texts that people read: what cannot be seen has no place in a name or a reason."""

import unicodedata

JOINERS = "\u200c\u200d"  # They shape scripts and emoji; alone they turn nothing around and hide nothing.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def unseen_error(text: str, *, allow_lines: bool = False) -> str | None:
    """What makes a text other than it looks (control, direction and format characters), or None."""
    if text.isprintable():
        return None  # as nearly every text is, and said a letter at a time by C
    allowed = JOINERS + ("\n\r\t" if allow_lines else "")
    if any(unicodedata.category(character) in UNSEEN and character not in allowed for character in text):
        return "holds characters that cannot be seen, or that turn the text around"
    return None
