"""What every error of the API must look like."""

from typing import Any

import httpx

MEMBERS = ("type", "title", "status", "detail", "instance", "request_id")
NO_BODY = ("HEAD",)


def problem_in(response: httpx.Response) -> dict[str, Any]:
    """The problem in an answer, once it was found to be a whole one and to agree with the answer."""
    assert response.headers["content-type"] == "application/problem+json", response.text[:200]
    problem: dict[str, Any] = response.json()
    missing = [name for name in MEMBERS if not problem.get(name)]
    assert not missing, f"{missing} missing in {problem}"
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers["x-request-id"]
    assert "/problems/" in problem["type"]
    return problem


def fault_of(response: httpx.Response, *, status: int, pointer: str | None) -> str | None:
    """What is wrong with the answer to a bad request, or None when it is as it should be."""
    if response.status_code != status:
        return f"{response.status_code} in place of {status}: {response.text[:150]}"
    try:
        problem = problem_in(response)
    except (AssertionError, KeyError, ValueError) as error:
        return f"no whole problem: {error}"
    if pointer is None:
        return None
    pointers = [error["pointer"] for error in problem.get("errors", ())]
    leads_there = bool(pointers) and pointers[0].startswith(pointer)
    return None if leads_there else f"points to {pointers} in place of {pointer!r}"
