"""What does not fit in a mapping."""

from collections.abc import Collection
from typing import NamedTuple

from rules.files.suggestions import asked, suggestion
from rules.files.yaml_lines import Path


class Slip(NamedTuple):
    """One thing that does not fit: the field, what to report, of which sort it is, and what was probably
    meant."""

    path: Path
    text: str
    code: str = "conflict"
    suggestion: str = ""

    def below(self, *path: str | int) -> "Slip":
        return self._replace(path=(*path, *self.path))

    @classmethod
    def unknown(cls, path: Path, text: str, word: str, known: Collection[str], meant: str = "") -> "Slip":
        """Return that a word is none of those known, with what was `meant`; by default the nearest one."""
        found = meant or suggestion(word[:60], known)
        return cls(path, text + asked(found), "unknown", found)
