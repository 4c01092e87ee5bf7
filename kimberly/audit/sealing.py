"""The chain: each minute one seal over the entries that came since the last one, and the check that finds every change.

A seal holds the ids of its entries in order, the SHA-256 of their rows and the hash of the seal before it. An edit,
deletion, swap or insertion changes a hash; a cut tail is found against an anchor kept elsewhere: the newest seal is
logged and written to a file, and `verify` takes one.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.db import connection, transaction

from kimberly.audit.models import AuditEntry, AuditPending, AuditSeal
from kimberly.audit.trail import sha256_of
from kimberly.db import statements
from kimberly.lib.sql import statement

logger = structlog.get_logger(__name__)

LOCK = 0x4B41_5544  # "KAUD": the advisory lock of the one sealer
GENESIS = "0" * 64
MOST_ENTRIES = 5_000  # A seal of more would take long to check; the next minute's takes the rest.
UNSEALED_LIMIT = timedelta(minutes=2)
COLUMNS = tuple(field.attname for field in AuditEntry._meta.concrete_fields)  # noqa: SLF001 - Django documents _meta


@dataclass(frozen=True, slots=True)
class Anchor:
    """A seal's number and hash, remembered outside of the database."""

    number: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """From `NUMBER:HASH`; ValueError when it is something else."""
        number, _, digest = text.strip().partition(":")
        if not number.isdecimal() or len(digest) != len(GENESIS):
            raise ValueError("an anchor is NUMBER:HASH, as the log and the anchor file say it")
        return cls(int(number), digest)

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed. `seal` is the number to look at, 0 where it is no seal's matter."""

    seal: int
    text: str


def seal(*, now: datetime) -> AuditSeal | None:
    """Seal what is pending; None when there is nothing, or when another sealer is at it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [LOCK])
            if not cursor.fetchone()[0]:
                return None
        pending = AuditPending.objects.order_by("entry_id").values_list("entry_id", flat=True)[:MOST_ENTRIES]
        entry_ids = list(pending)
        if not entry_ids:
            return None
        AuditPending.objects.filter(entry_id__in=entry_ids).delete()
        made = _append(entry_ids, now=now)
    logger.info("audit_sealed", seal=made.number, hash=made.hash, entries=len(entry_ids))
    return made


def _append(entry_ids: list[UUID], *, now: datetime) -> AuditSeal:
    last = AuditSeal.objects.order_by("-number").first()
    number, previous = (last.number + 1, last.hash) if last else (1, GENESIS)
    rows = rows_sha256(AuditEntry.objects.filter(id__in=entry_ids).order_by("id").iterator())
    made = AuditSeal(
        number=number, sealed_at=now, entry_ids=entry_ids, rows_sha256=rows, previous_hash=previous, hash=""
    )
    made.hash = seal_hash(made)
    made.save(force_insert=True)
    return made


def seal_hash(sealed: AuditSeal) -> str:
    """Hex SHA-256 over the seal's own columns in a fixed form; every one but the hash itself counts."""
    entry_ids = [str(entry_id) for entry_id in sealed.entry_ids]
    sealed_at = sealed.sealed_at.astimezone(UTC).isoformat()
    return sha256_of(json.dumps([sealed.number, sealed_at, entry_ids, sealed.rows_sha256, sealed.previous_hash]))


def rows_sha256(entries: Iterable[AuditEntry]) -> str:
    """Hex SHA-256 over the entries' rows in the order given; every column counts."""
    digest = hashlib.sha256()
    for entry in entries:
        columns = {name: getattr(entry, name) for name in COLUMNS}
        digest.update(json.dumps(columns, sort_keys=True, default=_plain).encode("utf-8") + b"\n")
    return digest.hexdigest()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def verify(*, now: datetime, anchor: Anchor | None = None) -> list[Finding]:
    """Everything that is not as it was sealed, in order of the chain; empty when all is well."""
    findings: list[Finding] = []
    anchored = ""
    number, previous = 0, GENESIS
    for sealed in AuditSeal.objects.order_by("number").iterator(chunk_size=200):
        findings += _check_seal(sealed, number=number + 1, previous=previous)
        number, previous = sealed.number, sealed.hash
        if anchor and sealed.number == anchor.number:
            anchored = sealed.hash
    if anchor and anchored != anchor.hash:
        said = "has another hash than the anchor" if anchored else "is missing: it was cut off"
        findings.append(Finding(anchor.number, f"seal {anchor.number} {said}"))
    return [*findings, *_entries_out_of_place(now), *_texts_that_differ()]


def _check_seal(sealed: AuditSeal, *, number: int, previous: str) -> Iterator[Finding]:
    if sealed.number != number:
        yield Finding(sealed.number, f"seal {number} is missing before seal {sealed.number}")
    if sealed.previous_hash != previous:
        yield Finding(sealed.number, f"seal {sealed.number} does not continue the seal before it")
    by_id = AuditEntry.objects.in_bulk(sealed.entry_ids)
    missing = [entry_id for entry_id in sealed.entry_ids if entry_id not in by_id]
    for entry_id in missing:
        yield Finding(sealed.number, f"entry {entry_id} of seal {sealed.number} is gone")
    rows = rows_sha256(by_id[entry_id] for entry_id in sealed.entry_ids if entry_id in by_id)
    if not missing and rows != sealed.rows_sha256:
        yield Finding(sealed.number, f"an entry of seal {sealed.number} was changed")
    if seal_hash(sealed) != sealed.hash:
        yield Finding(sealed.number, f"seal {sealed.number} itself was changed")


def _entries_out_of_place(now: datetime) -> Iterator[Finding]:
    """Entries in no seal that wait for none or for too long, and entries in more than one."""
    rows = statements.fetch_all(statement(__file__, "entries_out_of_place"), {"oldest": now - UNSEALED_LIMIT})
    for entry_id, seals, waits in rows:
        if seals:
            how = "stands in more than one seal" if seals > 1 else "is sealed, and waits to be sealed again"
        else:
            how = "is older than two minutes and in no seal" if waits else "is in no seal and waits for none"
        yield Finding(0, f"entry {entry_id} {how}")


def _texts_that_differ() -> Iterator[Finding]:
    """Texts that are neither what their entry hashed nor erased, and texts that are gone."""
    explained = AuditEntry.objects.exclude(reason_sha256="", ticket_sha256="", text=None).select_related("text")
    for entry in explained.order_by("id").iterator(chunk_size=500):
        text = getattr(entry, "text", None)
        if text is None:
            yield Finding(0, f"the text of entry {entry.id} is gone")
        elif text.erased_at is None and (sha256_of(text.reason), sha256_of(text.ticket)) != (
            entry.reason_sha256,
            entry.ticket_sha256,
        ):
            yield Finding(0, f"the text of entry {entry.id} was changed")


def remember(made: AuditSeal, *, folder: Path) -> None:
    """Write the newest seal beside the data, so that a cut tail can be found later.

    An anchor that the chain does not hold any more stays as it is: it proves that the tail was cut.
    """
    kept = remembered(folder=folder)
    if kept is not None and not AuditSeal.objects.filter(number=kept.number, hash=kept.hash).exists():
        logger.error("audit_anchor_lost", seal=kept.number, hash=kept.hash)
        return
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / "audit-anchor.new"
    beside.write_text(f"{made}\n", encoding="utf-8")
    beside.replace(folder / "audit-anchor")


def remembered(*, folder: Path) -> Anchor | None:
    """The anchor that `remember` wrote, or None where there is none."""
    path = folder / "audit-anchor"
    return Anchor.parse(path.read_text(encoding="utf-8")) if path.exists() else None


def oldest_pending_age(*, now: datetime) -> timedelta:
    """How long the oldest unsealed entry has waited; zero when none waits."""
    oldest = AuditPending.objects.order_by("entry_id").values_list("entry__at", flat=True).first()
    return max(now - oldest, timedelta()) if oldest else timedelta()
