"""The answer of a search as its page shows it."""

import re


def contents_in(answer):
    """What was found, in order, as the page shows it."""
    body = answer.content.decode()
    return [re.sub("</?mark>", "", text) for text in passages_in(body)]


def passages_in(body):
    """What is shown of each result before it unfolds, with its marks."""
    return re.findall(r'(?s)<li class="k-found".*?<(?:p|span) class="k-content(?:__first)?">(.*?)</(?:p|span)>', body)


def parts_in(answer):
    """The rows below each result: the part's name and its two texts."""
    body = answer.content.decode()
    rows = re.findall(r'(?s)<th scope="row">([^<]+)</th>.*?<td>([^<]*)</td>\s*<td>([^<]*)</td>', body)
    return [(name, text, adds) for name, text, adds in rows]
