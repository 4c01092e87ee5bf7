"""Contents as pages show them: a first line, and what unfolds from it. Only where they are revealed to the reader."""

from dataclasses import dataclass

FIRST_CHARACTERS = 160
MOST_CHARACTERS = 8_000
"""Of each text at most so much is on a page: a list of fifty must still open on a phone."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text's first line and its beginning, which is all of it unless it is very long."""

    first: str
    beginning: str
    characters: int

    @property
    def unfolds(self) -> bool:
        """Whether the first line is not all of it."""
        return self.first != self.beginning.strip()

    @property
    def is_cut(self) -> bool:
        return self.characters > len(self.beginning)


def of(text: str, *, characters: int | None = None) -> Excerpt:
    """The excerpt of a text, of which the caller may have read only the beginning: then it says how long it is."""
    beginning = text[:MOST_CHARACTERS]
    line = " ".join(beginning[: 2 * FIRST_CHARACTERS].split())
    if len(line) > FIRST_CHARACTERS or len(beginning) > 2 * FIRST_CHARACTERS:
        line = f"{line[:FIRST_CHARACTERS].rstrip()}…"
    return Excerpt(line, beginning, len(text) if characters is None else characters)
