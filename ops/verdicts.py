"""What a page says of a search as a whole: whether it found what was asked for, or only put something first.

Pure Python. Each part of a score is scaled within one answer, so that some memory always has the best of each: neither
the number of results nor the best score says that anything is about the question. Words do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from memory.queries.retrieval import Found, Narrowing
from memory.rules import writing
from ops import scores, words

LONGEST_TAGS = 80


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line with its tone, and sentences."""

    tone: str
    says: str
    because: list[str]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why nothing was found, and what helps."""

    says: str
    hint: str


def of_results(found: Sequence[Found], *, question: str, has_words: bool) -> Verdict:
    """The verdict on a search that gave something; `has_words` says whether the question has any to look for."""
    with_words = sum(one.components.own_words is not None or one.components.context is not None for one in found)
    memories = _memories(len(found))
    if with_words:
        rest = "" if with_words == len(found) else f"{with_words} of them by words, the rest by meaning alone."
        return Verdict("ok", f"{memories} found", [*filter(None, [rest]), *_of_the_last(found)])
    by_spelling = any(one.components.spelling is not None for one in found)
    by_meaning = any(one.components.semantic is not None for one in found)
    alone = "by spelling alone" if by_spelling else "by meaning alone"
    how = "by spelling and meaning" if by_spelling and by_meaning else alone
    because = _why_no_word(question, has_words=has_words, by_spelling=by_spelling)
    order = "The order says which memories are least far from the question, not that any is about it."
    no_word = "No whole word found; " if has_words else "No word to look for; "
    says = f"{'' if writing.is_unspaced(question) else no_word}{memories} {how}"
    return Verdict("info", says, [because, order, *_of_the_last(found)])


def of_nothing(narrowing: Narrowing, *, any_pass: bool) -> Nothing:
    """Why there is no result: `any_pass` says whether the filters leave anything to search."""
    filters = filters_of(narrowing)
    if any_pass:
        left_out = (
            "" if narrowing.include_archived and not filters else " Filters and the archive leave out what lies there."
        )
        return Nothing("Nothing is like the question", f"The words above say what it looked for.{left_out}")
    if filters:
        says = f"No memory passes the filters ({', '.join(filters)})"
        return Nothing(says, "So nothing was compared with the question. Change them above.")
    if narrowing.include_archived:
        return Nothing("This user has no memory", "There is nothing to search, not in the archive either.")
    return Nothing("This user has no active memory", "There is nothing to search but the archive, which was left out.")


def filters_of(narrowing: Narrowing) -> list[str]:
    """What is set, in words: `only permanent`, `tags food, sea`."""
    told = []
    if narrowing.tier is not None:
        told.append(f"only {narrowing.tier}")
    if narrowing.tags:
        noun = "tag" if len(narrowing.tags) == 1 else "tags"
        told.append(f"{noun} {words.shortened(', '.join(narrowing.tags), LONGEST_TAGS)}")
    if narrowing.since is not None:
        told.append(f"said since {words.exact(narrowing.since)}")
    if narrowing.until is not None:
        told.append(f"said before {words.exact(narrowing.until)}")
    return told


def why_no_words(question: str) -> str:
    """Why a question has no word to look for."""
    typed = writing.words_of(question)
    too_long = next((word for word in typed if writing.is_too_long(word)), None)
    if not typed:
        return "None: the question has no letters and no digits."
    if too_long is not None:
        return f"None: a word of {len(too_long):,} characters is longer than any that is kept."
    return "None: the question has only words such as “the” and “is”, which every memory could have."


def _why_no_word(question: str, *, has_words: bool, by_spelling: bool) -> str:
    if writing.is_unspaced(question):
        return "Text without spaces between its words cannot be split into words here, so meaning and spelling count."
    why = "None of the words stands by itself in what was searched" if has_words else "It has no word to look for"
    return f"{why}, so what is spelled alike counts instead." if by_spelling else f"{why}."


def _of_the_last(found: Sequence[Found]) -> list[str]:
    """Results without a score are results for clients as well."""
    without = sum(scores.rounded(one.score) == 0 for one in found)
    return [f"{without} of them scored 0.000: the furthest of all that were compared."] if without else []


def _memories(number: int) -> str:
    return f"{number} memor{'y' if number == 1 else 'ies'}"
