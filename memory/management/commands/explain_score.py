from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.lib import bytesize, ids
from memory.queries import why
from memory.queries.why import Decided, Why
from memory.rules import sentences


class Command(BaseCommand):
    help = "Say why an item has its score and what was decided of it; also of one that was archived or purged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("item_id", help="The item's id, with its prefix (mem_...) or as a bare UUID.")

    def handle(self, *args: Any, **options: Any) -> None:
        item_id = ids.decode(ids.Prefix.ITEM, options["item_id"])
        if item_id is None:
            raise CommandError("This is no item's id: mem_ and 32 digits.")
        found = why.of_item(item_id)
        if found is None:
            raise CommandError("There never was such an item.")
        for line in _lines(found):
            self.stdout.write(line)


def _lines(found: Why) -> Iterator[str]:
    guarded = ", protected" if found.protected else ""
    item_id = ids.encode(ids.Prefix.ITEM, found.item_id)
    yield f"{item_id} of {found.external_id}: {found.tier}, {found.state}{guarded}, {bytesize.human(found.size_bytes)}."
    if found.score is None:
        yield "It has no score: it was not scored yet, or was erased."
    else:
        yield found.score.in_words
        since = sentences.day_and_time(found.score.scored_at)
        yield f"So since {since}; score / √bytes, by which the lowest goes first: {found.score.order_key:.6f}."
    if not found.decisions:
        yield "No meditation and no plan has decided anything of it."
    for decided in found.decisions:
        yield from _about(decided)


def _about(decided: Decided) -> Iterator[str]:
    yield f"{decided.in_words} ({decided.decided_by})"
    if decided.retold is not None:
        told = decided.retold
        yield f"  told again from the inputs kept then: {sentences.score(told.score, told.parts, told.profile)}"
