"""How the ledger was verified last: when, by what, and what was found."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Verifier(StrEnum):
    """What had the ledger verified: the night, a command, the console, a call of a program."""

    NIGHT = "night"
    COMMAND = "command"
    DOCTOR = "doctor"
    CONSOLE = "console"
    CALL = "call"


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What `ledger verify` found. `problems` are (where, what); ids of ours may be in them, nothing of
    anybody."""

    at: datetime
    by: Verifier
    seconds: float
    ok: bool
    entries: int
    head: str
    checkpoints: int
    are_signatures_checked: bool
    problems: tuple[tuple[str, str], ...] = ()
