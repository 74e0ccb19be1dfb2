"""The signature of a webhook, as the Standard Webhooks specification has it: HMAC-SHA256 over the id of the
message, the moment of sending and the body. The receiver holds the key, computes the same, and refuses what
is older than a few minutes."""

import base64
import hmac
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"


def signed(key: str, message: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of a message that was signed at `at`."""
    seconds = str(int(at.timestamp()))
    digest = hmac.digest(_key(key), f"{message}.{seconds}.".encode() + body, "sha256")
    return {"webhook-id": message, "webhook-timestamp": seconds, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}


def is_key(text: str) -> bool:
    """Return whether this can be a key: `whsec_` and Base64, or at least 16 characters as they are."""
    try:
        return len(_key(text)) >= 16
    except ValueError:
        return False


def _key(text: str) -> bytes:
    return base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else text.encode()
