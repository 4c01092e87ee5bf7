"""Vectors go to PostgreSQL as bytes: as text they take forty times as long to write down."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from pgvector import HalfVector
from pgvector.psycopg.halfvec import HalfVectorBinaryDumper, HalfVectorDumper
from psycopg.types import TypeInfo

_types: dict[str, TypeInfo] = {}


def register(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Teach a new connection how HalfVector is sent. A database without the extension is left as it is."""
    raw = connection.connection
    key = f"{raw.info.host} {raw.info.port} {raw.info.dbname}"
    info = _types.get(key) or TypeInfo.fetch(raw, "halfvec")
    if info is None:
        return
    _types[key] = info
    info.register(raw)
    for dumper in (HalfVectorDumper, HalfVectorBinaryDumper):
        raw.adapters.register_dumper(HalfVector, type(dumper.__name__, (dumper,), {"oid": info.oid}))
