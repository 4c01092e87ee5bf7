"""Small made-up conversations in the format that `import_conversations` reads."""

import gzip
import json
from pathlib import Path
from typing import Any


def turn(number: int, text: str = "") -> dict[str, Any]:
    return {
        "id": f"t{number}",
        "speaker": "Nora" if number % 2 else "Piet",
        "session": "session_1",
        "created_at": f"2024-03-05T10:{number // 60:02}:{number % 60:02}Z",
        "text": text or f"Sentence number {number} about the allotment.",
        "metadata": {"tags": [], "source": "made-up", "channels": ["chat"]},
    }


def conversation(user_id: str, turns: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": "memory-eval/1",
        "dataset": "made-up",
        "conversation": "c1",
        "user_id": user_id,
        "speakers": ["Nora", "Piet"],
        "memories": turns,
        "questions": [],
    }


def write(path: Path, *conversations: dict[str, Any]) -> Path:
    """As JSON lines; packed where the name says so."""
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in conversations).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path
