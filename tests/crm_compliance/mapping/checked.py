"""What a check of a mapping says."""

import re
from pathlib import Path

from tests.drivers.typed import Said

PAGE = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text(encoding="utf-8")
CODES = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^(\| `.*?) \|", PAGE.split("## Checking")[1].split("\n## ")[0], re.MULTILINE))))


def told(said: Said, section: str = "problems") -> dict[tuple[int, str], str]:
    """What was found: line and code, and the suggestion."""
    for each in said.document[section]:
        assert set(each) == {"where", "code", "message", "suggestion"}
        assert each["code"] in CODES
        assert each["message"]
    assert said.document["ok"] is (said.code == 0)
    return {(int(each["where"].rpartition(":")[2]), each["code"]): each["suggestion"] for each in said.document[section]}


def line(path: Path, wanted: str) -> int:
    return next(number for number, text in enumerate(path.read_text("utf-8").splitlines(), 1) if wanted in text)
