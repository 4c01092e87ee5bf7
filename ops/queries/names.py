"""The names behind actors: trails and rows keep internal ids, people read names."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth import get_user_model

from kimberly.clients.models import ApiKey
from kimberly.lib.actors import ActorKind
from ops import roles


def of_actors(actors: Collection[str]) -> dict[str, str]:
    """What to call each actor, given as `kind:id`; nobody is "". At most one query for staff and one for clients."""
    by_kind: dict[str, set[str]] = {}
    for actor in filter(None, actors):
        kind, _, name = actor.partition(":")
        by_kind.setdefault(kind, set()).add(name)
    known = {**_staff(by_kind.get(ActorKind.STAFF, ())), **_clients(by_kind.get(ActorKind.CLIENT, ()))}
    return {actor: known.get(actor) or _plain(actor) for actor in actors}


def _staff(ids: Collection[str]) -> dict[str, str]:
    keys = [int(text) for text in ids if text.isascii() and text.isdecimal()]
    people = get_user_model().objects.filter(pk__in=keys) if keys else ()
    return {f"{ActorKind.STAFF}:{person.pk}": roles.label_of(person) for person in people}


def _clients(ids: Collection[str]) -> dict[str, str]:
    keys = [UUID(text) for text in ids if _is_uuid(text)]
    rows = ApiKey.objects.filter(pk__in=keys).values_list("pk", "client__name") if keys else ()
    return {f"{ActorKind.CLIENT}:{key}": name for key, name in rows}


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _plain(actor: str) -> str:
    """`ops.reconcile_usage (job)`: what has no name of its own is called by its id."""
    kind, _, name = actor.partition(":")
    return f"{name} ({kind})" if name else ""
