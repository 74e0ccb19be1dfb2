"""What a page says of itself: its address, who may take it, and what answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from starlette.responses import Response

from rules.model.roles import Act

if TYPE_CHECKING:
    from crm_compliance.console.frame.visit import Visit

Method = Literal["GET", "POST"]
FORM_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and method. `act` is what a person has to be allowed (section 9.4); None: whoever is signed
    in. `answer` runs in a thread of its own, and may take its time. What a form may hold at most is
    `form_bytes`, its files among it; `is_limited`: one client may try it a few times in a minute. `is_long`:
    it reads the CRM, or writes a file, and pages do not wait for it."""

    method: Method
    path: str
    answer: Callable[[Visit], Response]
    act: Act | None = None
    form_bytes: int = FORM_BYTES
    is_limited: bool = False
    is_long: bool = False


def get(
    path: str, answer: Callable[[Visit], Response], act: Act | None = None, *, is_limited: bool = False, is_long: bool = False
) -> Endpoint:
    return Endpoint("GET", path, answer, act, is_limited=is_limited, is_long=is_long)


def post(
    path: str, answer: Callable[[Visit], Response], act: Act | None = None, *, form_bytes: int = FORM_BYTES, is_limited: bool = False
) -> Endpoint:
    return Endpoint("POST", path, answer, act, form_bytes, is_limited)
