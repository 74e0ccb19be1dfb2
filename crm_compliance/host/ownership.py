"""Whether the packages that are about to run are ours: `rules`, `jobs` and `connectors` are names that others
use too.

This is checked before any of them is imported, so this module imports nothing of ours. Foreign code can come
in two ways: a folder of the same name that comes earlier on the path, and another distribution that has
installed files into one of the packages."""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

OURS = "crm_compliance"  # the name of our distribution as folders of metadata have it
PACKAGES = ("crm_compliance", "jobs", "connectors", "rules")
CODE, EXIT_CODE = "foreign_packages", 2
HINT = "install in an environment of its own, and leave PYTHONPATH empty"
_RECORDED = re.compile(rb"^(?:%s)/" % "|".join(PACKAGES).encode(), re.MULTILINE)
_TOP_LEVEL = re.compile(rb"^(?:%s)\s*$" % "|".join(PACKAGES).encode(), re.MULTILINE)


def strangers(path: Sequence[str] | None = None) -> list[str]:
    """Return what is not ours, each in words. These are packages that would be loaded from elsewhere, and
    distributions that own one of the names."""
    return [*_shadows(), *sorted(set(_owners(sys.path if path is None else path)))]


def refuse_strangers(arguments: Sequence[str]) -> None:
    """End the program with exit code 2 if a package is not ours. The error is formatted here: the code that
    formats errors elsewhere may be foreign by now."""
    found = strangers()
    if not found:
        return
    message = f"other software owns packages of ours: {'; '.join(found)}"
    if "--json" in arguments:
        message = json.dumps({"error": {"code": CODE, "message": message, "hint": HINT, "where": found[0]}})
    else:
        message = f"error: {message}\n  hint: {HINT}"
    sys.stderr.write(message + "\n")
    sys.exit(EXIT_CODE)


def _shadows() -> Iterator[str]:
    home = Path(__file__).resolve().parent.parent.parent
    for name in PACKAGES:
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):
            spec = None
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        if [Path(place).resolve() for place in places] != [home / name]:
            yield f"{name} would be loaded from {', '.join(places) or (spec.origin if spec is not None and spec.origin else 'nowhere')}"


def _owners(path: Sequence[str]) -> Iterator[str]:
    """Yield the distributions, other than ours, that list one of our names. They are found by `top_level.txt`
    where they have it, else by their files."""
    for folder in dict.fromkeys(path):
        try:
            with os.scandir(folder or ".") as entries:
                found = [entry.name for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue  # an archive, or not there
        for name in found:
            if name.startswith((f"{OURS}-", f"{OURS}.")):
                continue
            place = os.path.join(folder, name)
            listed = _content(os.path.join(place, "top_level.txt"))
            is_owner = _TOP_LEVEL.search(listed) if listed else _RECORDED.search(_content(os.path.join(place, "RECORD")))
            if is_owner:
                yield f"the distribution {name.rpartition('.')[0]} has a package of this name"


def _content(file: str) -> bytes:
    """Return a file, empty where there is none. Two hundred are looked into before each command, so that
    nothing is made of their names, and nothing is buffered."""
    try:
        with open(file, "rb", buffering=0) as opened:
            return opened.readall()
    except OSError:
        return b""
