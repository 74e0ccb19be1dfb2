"""What was found in one file, and why not all of it could be."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from jobs.files.limits import Budget, CannotRead, Limits, Unread


class Reading(msgspec.Struct, frozen=True):
    """What a file says, text by text, as far as it can be read.

    `why` says that nobody can be sure of what is in it, and why; empty where all of it was read. `detail` is
    the class of an error, for the programmer who mends a reader. `content` is the file as it may be handed
    on, where that differs from what it was: a redrawn picture."""

    kind: str
    texts: tuple[str, ...] = ()
    why: str = ""
    detail: str = ""
    content: bytes | None = None


class Told(msgspec.Struct, frozen=True):
    """What a text file says. It is not whole where the file holds what is no text, such as a file that came
    with an e-mail, or a picture or script of a page: nothing of that is in `text`."""

    text: str
    is_whole: bool = True


class Drawn(msgspec.Struct, frozen=True):
    """A page of a PDF as a PNG, and how many pages there are; `why` states why there is no picture."""

    pages: int = 0
    picture: bytes = b""
    why: str = ""


class Found:
    """Collects texts while a file is read; an unreadable part does not end the reading of others."""

    def __init__(self, limits: Limits) -> None:
        self.budget = Budget(limits)
        self.texts: list[str] = []
        self.why: Unread | None = None
        self.detail = ""
        self.is_spent = False  # memory ran out once: this process should read nothing else

    def say(self, texts: Iterable[str]) -> None:
        """Keep texts. Raises CannotRead."""
        for text in texts:
            if text and not text.isspace():
                self.texts.append(self.budget.say(text if text.isascii() else text.encode("utf-8", "replace").decode()))

    def cannot(self, why: Unread, detail: str = "") -> None:
        """Note why not everything can be read; the first reason stands."""
        if self.why is None:
            self.why, self.detail = why, detail

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Record whatever a library raises over a part of a file as the reason why that part cannot be
        read; nothing is raised."""
        try:
            yield
        except CannotRead as problem:
            self.cannot(problem.why)
        except MemoryError:
            self.is_spent = True
            self.cannot(Unread.MEMORY)
        except Exception as problem:  # noqa: BLE001 - a dozen classes come out of each library
            self.cannot(Unread.DAMAGED, type(problem).__name__)

    def reading(self, kind: str, content: bytes | None = None) -> Reading:
        return Reading(kind, tuple(dict.fromkeys(self.texts)), self.why.value if self.why is not None else "", self.detail, content)
