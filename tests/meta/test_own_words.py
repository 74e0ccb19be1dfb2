"""The words of one organisation stand in its files, and in no code, template or text of the product: who it
is, what it is called on, what it works on, whom it answers to, and what only its country has."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("rules", "jobs", "connectors", "crm_compliance", "docs")
ENDINGS: Final = frozenset({".py", ".toml", ".j2", ".po", ".typ", ".css", ".js", ".html", ".md", ".yaml", ".json", ".txt"})
THE_FIRST: Final = re.compile(
    r"child ?focus|houba|strooper|116 ?000|drukpersstraat|rue de la presse"
    r"|vermiste kind|(?:sexually|seksueel) (?:exploited|uitgebuit)|enfants? disparu|(?<=[ \"])missing children"
    r"|gegevensbeschermingsautoriteit|apd-gba|autorité de protection des données|belgian data protection"
    r'|rijksregister|registre national|nationalregister|(?<=")national register number|itsme|belgian holidays|days in brussels'
)  # in lower case, which is found three times as fast as in any
FILES_OF_ITS_OWN: Final = (Path("rules/policy/schedules/childfocus.yaml"), Path("rules/organisation/shipped/childfocus.yaml"))
RECOGNISED: Final = Path("connectors/dynamics/draft/words.py")  # what columns are called in any country
NAMED: Final = re.compile(r'childfocus\.yaml|SHIPPED = "childfocus"')  # where they are opened


def test_the_first_organisations_words_are_in_its_files_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:160]}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*"))
        if path.suffix in ENDINGS and "node_modules" not in path.parts and path.relative_to(ROOT) not in (*FILES_OF_ITS_OWN, RECOGNISED)
        if THE_FIRST.search((text := path.read_text("utf-8")).lower())
        for number, line in enumerate(text.splitlines(), 1)
        if THE_FIRST.search(NAMED.sub("", line).lower())
    ]
    assert found == []
