"""Ids of rows as people paste them: in capitals, in braces, between blanks, without their hyphens."""

import re
from typing import Final
from uuid import UUID

_ID: Final = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def row_id(text: str) -> str | None:
    """Return an id as the CRM writes it, in lower case and without braces; None where the text is none."""
    plain = text.strip().strip("{}").lower()
    return str(UUID(plain)) if _ID.fullmatch(plain) else None
