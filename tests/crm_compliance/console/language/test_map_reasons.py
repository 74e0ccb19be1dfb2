"""Whatever the data map says of a place is said in the language of the page."""

import ast
import inspect
from collections.abc import Iterator

import pytest

from connectors.dynamics.datamap import fates
from crm_compliance.console.language.codes import words_of
from crm_compliance.console.language.map_reasons import reason_in


def sentences() -> Iterator[str]:
    """Every text of the module with words in it that can become the reason of a place, its blanks filled."""
    for function in ast.parse(inspect.getsource(fates)).body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for each in ast.walk(function):
            if isinstance(each, ast.Return) and each.value is not None:
                texts = each.value.elts if isinstance(each.value, ast.Tuple) else [each.value]
                for text in texts:
                    if isinstance(text, ast.JoinedStr):
                        yield "".join(part.value if isinstance(part, ast.Constant) else "cf_table" for part in text.values)  # type: ignore[misc]  # texts
                    elif isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.value


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_no_sentence_of_the_map_stays_english(language: str) -> None:
    word = words_of(language)  # type: ignore[arg-type]  # one of ours
    said = [each for each in sentences() if " " in each.replace(": ", ":")]
    assert len(said) > 8
    assert [each for each in said if reason_in(word, each) == each] == []


def test_names_stay_and_places_of_the_mapping_are_told_one_by_one() -> None:
    word = words_of("nl")
    assert reason_in(word, "cf_owner is only emptied when contact goes") == "cf_owner wordt alleen leeggemaakt als contact verdwijnt"
    several = "tables.dossier where kind is 1 or 2; others are out of scope, tables.fiche"
    assert reason_in(word, several) == "tables.dossier waar kind = 1 / 2; andere vallen buiten bereik, tables.fiche"
    assert reason_in(word, "tables.fiche.personal.name") == "tables.fiche.personal.name"
    assert reason_in(word, "Beslist door de directie") == "Beslist door de directie"
