"""Contents as pages show them: a first line, and what unfolds from it. Only where they are revealed to the reader."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

FIRST_CHARACTERS = 160
BEFORE_CHARACTERS = 60
"""Of a passage so much stands before the word for whose sake it is shown."""
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


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `is_marked` where it is what was looked for."""

    text: str
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A text as a search shows it: the line around the first word that was looked for, and its beginning."""

    first: list[Piece]
    beginning: list[Piece]
    unfolds: bool
    shown_characters: int
    characters: int

    @property
    def is_cut(self) -> bool:
        return self.characters > self.shown_characters


def passage_of(text: str, spans: Iterable[tuple[int, int]]) -> Passage:
    """The text with these parts marked; they may overlap. Without any the line is the first one."""
    marks = _apart(spans)
    begin, end = _around(text, marks[0] if marks else (0, 0))
    line = [Piece(re.sub(r"\s+", " ", piece.text), piece.is_marked) for piece in _pieces(text, marks, begin, end)]
    before = [Piece("…", is_marked=False)] if text[:begin].strip() else []
    after = [Piece("…", is_marked=False)] if text[end:].strip() else []
    first = [*before, *line, *after]
    beginning = text[:MOST_CHARACTERS]
    unfolds = "".join(piece.text for piece in first) != text.strip()
    return Passage(first, _pieces(text, marks, 0, len(beginning)), unfolds, len(beginning), len(text))


def places_of(word: str, text: str) -> list[tuple[int, int]]:
    """Where the word stands in the text, be it inside of a longer one."""
    return [found.span() for found in re.finditer(re.escape(word), text, re.IGNORECASE)]


def _apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """In the order of the text; of those that overlap, the first."""
    apart: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if not apart or begin >= apart[-1][1]:
            apart.append((begin, end))
    return apart


def _around(text: str, mark: tuple[int, int]) -> tuple[int, int]:
    """Where the line with the mark begins and ends: at spaces, so that no word is cut but an endless one."""
    begin, last = len(text) - len(text.lstrip()), len(text.rstrip())
    if mark[1] > begin + FIRST_CHARACTERS:
        begin = max(begin, mark[0] - BEFORE_CHARACTERS)
        space = re.search(r"\s+", text[begin : mark[0]])
        begin += space.end() if space else 0
    end = begin + FIRST_CHARACTERS
    if last <= end:
        return begin, max(begin, last)
    at_a_space = begin + len(re.sub(r"\s*\S{,20}$", "", text[begin:end]))
    return begin, end if begin <= mark[0] and at_a_space < mark[1] else at_a_space


def _pieces(text: str, marks: list[tuple[int, int]], begin: int, end: int) -> list[Piece]:
    """The text from begin to end, cut where marked parts begin and end."""
    pieces, at = [], begin
    for first, last in marks:
        if first >= at and last <= end:
            pieces += [Piece(text[at:first], is_marked=False), Piece(text[first:last], is_marked=True)]
            at = last
    pieces.append(Piece(text[at:end], is_marked=False))
    return [piece for piece in pieces if piece.text]
