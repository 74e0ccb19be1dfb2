"""The last look: whether anything that must not go out is in the files as they are, whatever the steps before have done.

Letter and page are read back from their bytes, with their metadata; every other file as the text that it is. A hit stops the release, and
nothing is written. What was found is not told: it is a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_compliance.packages.wording import texts_in
from jobs.disclosure import Compilation
from jobs.file_texts import texts_of
from rules.errors import Refused
from rules.needles import GUID, Needles


class NeedleFound(Refused):
    """A file of the package holds what must not leave the house."""

    code = "needle"


def search_for_needles(compilation: Compilation, contents: Mapping[str, bytes], ours: Sequence[str] = ()) -> None:
    """Look through every file of a package, and through their names. `ours` is what every letter says of the organisation itself.

    Raises:
        NeedleFound: naming the file and what kind of thing it is, never the thing.
    """
    needles = Needles(compilation.needles, (*texts_in(compilation.language).all_texts(), *ours))
    for name, content in contents.items():
        for text in (name, *texts_of(name, content)):
            found = needles.found_in(text)
            if found:
                raise _hit(name, ", ".join(sorted(set(found))))
            if not name.startswith("attachments/") and GUID.search(text):
                raise _hit(name, "an id of the CRM")


def _hit(name: str, what: str) -> NeedleFound:
    hint = "correct the text in a review, or withhold the item, and approve anew"
    return NeedleFound(f"{name} holds what must not be told: {what}", hint=hint, where=name)
