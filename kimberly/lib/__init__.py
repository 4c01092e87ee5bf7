"""Pure Python that every part may use. No Django here."""
