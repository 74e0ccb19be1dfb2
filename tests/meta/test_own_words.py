"""The words of one organisation stand in its files, and in no code, template or text of the product."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("rules", "jobs", "connectors", "crm_compliance")
ENDINGS: Final = frozenset({".py", ".toml", ".j2", ".po", ".typ", ".css", ".js", ".html", ".md"})
THE_FIRST: Final = re.compile(r"child ?focus|houba|116 ?000|(?<=[ \"])missing children", re.IGNORECASE)
FILES_OF_ITS_OWN: Final = re.compile(r'childfocus\.yaml|SHIPPED = "childfocus"')  # named where they are opened
IN_THE_EMULATOR: Final = Path("connectors/emulator/seeding/traffic.py")  # its people call the first organisation


def test_the_first_organisations_words_are_in_its_files_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in ENDINGS and "node_modules" not in path.parts and path.relative_to(ROOT) != IN_THE_EMULATOR
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if THE_FIRST.search(FILES_OF_ITS_OWN.sub("", line))
    ]
    assert found == []
