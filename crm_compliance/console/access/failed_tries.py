"""How often one client may try something that fails: to sign in, to ask the API, to fetch by a link."""

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

import structlog

MINUTE_S: Final = 60.0
log = structlog.get_logger()


class FailedTries:
    """The failures of each client at one `door` in this minute; nothing is remembered beyond it. The first
    that is refused is logged, without the address, which is somebody's: the proxy in front has it."""

    def __init__(self, now: Callable[[], float], tries: int, door: str) -> None:
        self._now, self._tries, self._door = now, tries, door
        self._since = now()
        self._failures: Counter[str] = Counter()

    def allows(self, client: str) -> bool:
        """Count one failure, and say whether it is within the limit."""
        now = self._now()
        if now - self._since > MINUTE_S:
            self._since = now
            self._failures.clear()
        one = _one(client)
        self._failures[one] += 1
        if self._failures[one] == self._tries + 1:
            log.warning("somebody tries too often what fails", at=self._door, attempts=self._tries, seconds=MINUTE_S)
        return self._failures[one] <= self._tries

    def forget(self, client: str) -> None:
        """Let a client begin again: it got in, and people of one office share an address."""
        self._failures.pop(_one(client), None)


def _one(client: str) -> str:
    """Return the addresses that one client can have: one of IPv4, a whole network of IPv6."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else client
