"""The version of a row, as clients see it and as they ask for it: `ETag`, and `If-Match`, which is 412 where
the row has changed. What becomes of a missing row is in `rows.py`."""

from connectors.emulator.errors import version_mismatch
from connectors.emulator.request.exchange import Operation


def etag(version: int) -> str:
    """Return a version as `@odata.etag` and the header `ETag` have it."""
    return f'W/"{version}"'


def check_if_match(operation: Operation, current: int | None) -> None:
    """Check `If-Match` against the version of a row, None where there is no row; `*` fits any. Raises
    WebApiError: 412."""
    expected = operation.if_match
    if expected is not None and current is not None and expected.strip() != "*" and expected.strip() != etag(current):
        raise version_mismatch()
