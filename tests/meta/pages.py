"""The documents as text."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    """Return a page of `docs/`."""
    return (DOCS / name).read_text(encoding="utf-8")


OPERATIONS = "\n".join(page(name) for name in re.findall(r"\]\(([a-z-]+\.md)\)", page("operations.md")))  # all its tasks
