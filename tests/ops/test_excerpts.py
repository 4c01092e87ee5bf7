"""A text as a search shows it: the line around what matched, and what unfolds from it."""

import pytest

from ops import excerpts


def shown(text, *words):
    """The line and the beginning, with [brackets] around what is marked."""
    spans = [place for word in words for place in excerpts.places_of(word, text)]
    passage = excerpts.passage_of(text, spans)
    return told(passage.first), told(passage.beginning)


def told(pieces):
    return "".join(f"[{piece.text}]" if piece.is_marked else piece.text for piece in pieces)


def test_a_short_text_is_shown_as_it_is_and_does_not_unfold():
    assert shown("Prefers the window seat.", "seat", "window") == ("Prefers the [window] [seat].",) * 2
    assert not excerpts.passage_of("Prefers the window seat.", []).unfolds


def test_lines_are_joined_in_the_line_and_kept_in_the_text():
    assert shown("One\n\n  window\ntwo", "window") == ("One [window] two", "One\n\n  [window]\ntwo")
    assert excerpts.passage_of("One\n\n  window\ntwo", []).unfolds


def test_the_line_begins_where_the_text_does_when_the_word_stands_near():
    line, _ = shown("A window. " + "And so on. " * 50, "window")

    assert line.startswith("A [window]. And so")
    assert line.endswith("…")


def test_the_line_is_the_one_around_a_word_that_stands_far():
    line, beginning = shown("And so on. " * 50 + "A window. " + "And so on. " * 50, "window")

    assert line.startswith("…")
    assert "on. A [window]. And" in line
    assert len(line) <= excerpts.FIRST_CHARACTERS + 4
    assert "[window]" in beginning


def test_a_word_beyond_the_beginning_is_in_the_line_all_the_same():
    text = "x " * excerpts.MOST_CHARACTERS + "window"
    passage = excerpts.passage_of(text, excerpts.places_of("window", text))

    assert told(passage.first).endswith("x [window]")
    assert "window" not in told(passage.beginning)
    assert passage.is_cut


@pytest.mark.parametrize("spans", [[(0, 6), (0, 6)], [(2, 4), (0, 6)], [(0, 6), (3, 9)]])
def test_marks_that_overlap_leave_the_text_as_it_is(spans):
    passage = excerpts.passage_of("windows and", spans)

    assert "".join(piece.text for piece in passage.beginning) == "windows and"
    assert told(passage.beginning) == "[window]s and"


@pytest.mark.parametrize(
    "text", ["", "   ", "w" * 5_000, "議事録" * 200, "\n" * 400 + "end", "a" * 159 + " b", "x" * 170 + " window"]
)
@pytest.mark.parametrize("word", ["w" * 5_000, "議事録", "end", "window", "a"])
def test_no_text_is_lost_and_no_line_is_long(text, word):
    passage = excerpts.passage_of(text, excerpts.places_of(word, text))

    assert "".join(piece.text for piece in passage.beginning) == text
    assert len("".join(piece.text for piece in passage.first)) <= excerpts.FIRST_CHARACTERS + 2
