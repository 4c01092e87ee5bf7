"""Files of conversations: JSON lines, plain or gzip, one conversation a line (format memory-eval/1)."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

FORMAT = "memory-eval/1"
GZIP_MAGIC = b"\x1f\x8b"


class UnreadableFile(Exception):
    """The file cannot be read as conversations; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One turn, as the API takes it but for the tier."""

    source_id: str
    content: str
    created_at: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """All turns of one conversation, which become one user's memories."""

    user_id: str
    speakers: tuple[str, ...]
    memories: tuple[Memory, ...]


def read(path: Path, *, most_memories: int | None = None) -> Iterator[Conversation]:
    """The conversations one by one, each with at most so many memories. Raises UnreadableFile, naming the line."""
    if not path.is_file():
        raise UnreadableFile(f"{path}: there is no such file")
    number = 0  # of the line, for the message
    try:
        with _opened(path) as file:
            for line in file:
                number += 1
                if line.strip():
                    yield _conversation(json.loads(line), most_memories)
    except (OSError, EOFError) as error:
        raise UnreadableFile(f"{path}: after line {number}: {error}") from error
    except KeyError as error:
        raise UnreadableFile(f"{path}: line {number} lacks {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UnreadableFile(f"{path}: line {number} is no conversation of format {FORMAT}") from error


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_packed = file.read(2) == GZIP_MAGIC
    return gzip.open(path, "rb") if is_packed else path.open("rb")  # type: ignore[return-value] # it reads like one


def _conversation(line: dict[str, Any], most_memories: int | None) -> Conversation:
    if line["format"] != FORMAT:
        raise ValueError(line["format"])
    return Conversation(
        user_id=line["user_id"],
        speakers=tuple(line["speakers"]),
        memories=tuple(_memory(memory) for memory in line["memories"][:most_memories]),
    )


def _memory(turn: dict[str, Any]) -> Memory:
    named = {"source_id": turn["id"], "speaker": turn["speaker"], "session": turn["session"]}
    return Memory(turn["id"], turn["text"], turn["created_at"], {**turn.get("metadata", {}), **named})
