"""The ping of a dead-man's switch: somebody outside hears when a job begins and how it ends, and raises the
alarm where nothing is heard. The addresses are those of Healthchecks: one, with `/start` and `/fail` behind
it."""

from typing import Final

from connectors.channels.post import Post

START: Final = "/start"
FAIL: Final = "/fail"


class Ping:
    """The switch of one or several jobs. Nothing but the address is sent: which job, and how it went."""

    def __init__(self, name: str, post: Post, *, start: str = START, success: str, fail: str = FAIL) -> None:
        self.name = name
        self._post, self._start, self._success, self._fail = post, start, success, fail

    def begun(self) -> None:
        """Report that a job has begun. Raises ChannelFailed."""
        self._post.send(None, {}, suffix=self._start)

    def ended(self, *, is_good: bool) -> None:
        """Report how a job has ended. Raises ChannelFailed."""
        self._post.send(None, {}, suffix=self._success if is_good else self._fail)

    def check(self) -> str:
        """Return how far the switch was reached without being heard."""
        return self._post.reach()
