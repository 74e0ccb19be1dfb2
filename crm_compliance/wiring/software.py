"""Which version this is, and the ids that it gives."""

import secrets
from functools import cache


@cache  # it stands in a file
def software_version() -> str:
    """Return the version of this product as it was installed."""
    from importlib.metadata import version

    return version("crm-compliance")


def new_id(prefix: str) -> str:
    """Return an opaque id without spaces."""
    return f"{prefix}-{secrets.token_hex(6)}"
