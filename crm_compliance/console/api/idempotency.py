"""A call that is sent again, over a connection that was lost, makes nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from fastapi import Header
from pydantic import BaseModel

from crm_compliance.console.api.caller import Caller
from crm_compliance.wiring.software import new_id
from rules.errors import Refused

PURPOSE: Final = "idempotency key"
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="a new one, such as a UUID, for each thing to be made: the same call with the same key makes it once",
    ),
]
MADE_BEFORE: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "this was made by an earlier call with this key"}}


def ids_of(caller: Caller, key: str, contents: BaseModel) -> Callable[[str], str]:
    """Return what names that which a call makes, by prefix. The same contents from the same person under the
    same key are named the same, so that the second insert finds the first; without a key each name is new.
    Nothing is kept for it. Raises KeysMissing."""
    if not key:
        return new_id
    ring, said = caller.services.keys(), contents.model_dump(mode="json", by_alias=True)

    def named(prefix: str) -> str:
        digest = ring.digest(ring.register_key, PURPOSE, msgspec.json.encode([prefix, caller.person.who, key, said]))
        assert digest is not None, "the key in use is there"
        return f"{prefix}-{digest.hex()[:12]}"

    return named


def made_before(error: Refused) -> str:
    """Return the id of what an earlier call has made. Raises the refusal itself: it is another one."""
    if error.code != "exists":
        raise error
    return error.where
