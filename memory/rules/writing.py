"""Where words of a text end: what a search that knows words by the spaces between them can and cannot see."""

import re

LONGEST_WORD_BYTES = 2_046
"""PostgreSQL keeps no longer word in a search document."""

# Thai, Lao, Tibetan, Burmese, Khmer, kana and Han: a whole sentence without a space is one word to the parser.
UNSPACED = (
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
_WORD = re.compile(r"\w+")


def is_unspaced(text: str) -> bool:
    """Whether any of it is of a script that sets no spaces between words."""
    return re.search(UNSPACED, text) is not None


def words_of(text: str) -> list[str]:
    """The runs of letters and digits; an emoji is none."""
    return _WORD.findall(text)


def is_too_long(word: str) -> bool:
    return len(word.encode()) > LONGEST_WORD_BYTES
