"""The names behind actors: trails and rows keep internal ids, people read names."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth import get_user_model

from kimberly.clients.models import ApiKey
from kimberly.lib.actors import ActorKind
from ops import roles


class Names:
    """Names for the actors of one page. They are looked up together, when the first of them is written."""

    def __init__(self) -> None:
        self._wanted: set[str] = set()
        self._known: dict[str, str] = {}

    def of(self, actor: str) -> "Name":
        """What to call the actor, given as `kind:id`; nobody is "" and false."""
        if actor:
            self._wanted.add(actor)
        return Name(actor, self)

    def look_up(self, actor: str) -> str:
        """At most one query for staff and one for clients, for all that were asked for until now."""
        unknown = self._wanted - self._known.keys()
        if unknown:
            self._known |= _look_up(unknown)
        return self._known.get(actor, "")


class Name:
    """A name that is known when it is written."""

    def __init__(self, actor: str, names: Names) -> None:
        self._actor = actor
        self._names = names

    def __str__(self) -> str:
        return self._names.look_up(self._actor)

    def __bool__(self) -> bool:
        return bool(self._actor)


def _look_up(actors: Collection[str]) -> dict[str, str]:
    by_kind: dict[str, set[str]] = {}
    for actor in actors:
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
    return f"{name} ({kind})" if name else kind
