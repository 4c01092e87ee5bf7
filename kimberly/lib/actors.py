"""Who does something: the required argument of every write."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class ActorKind(StrEnum):
    STAFF = "staff"
    CLIENT = "client"
    JOB = "job"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, through which request, so that the audit trail can say it later.

    `id` is internal (a staff user's primary key, an API key's UUID, a job's or command's name), never a person's name.
    """

    kind: ActorKind
    id: str
    request_id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def job(cls, name: str) -> Self:
        return cls(ActorKind.JOB, name)

    @classmethod
    def command(cls, name: str) -> Self:
        return cls(ActorKind.COMMAND, name)
