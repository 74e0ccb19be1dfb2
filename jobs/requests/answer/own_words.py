"""What the organisation calls its own tables, columns and options in the language of an answer, from the
CRM's display names (EXP-12)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from connectors.interface.connector import Connector


@dataclass(frozen=True, slots=True)
class OwnWords:
    """`told` are the words for each table and column, by `table` and `table.column`; `options` those of each
    option of a choice, by `table.column`."""

    told: dict[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def choice(self, kind: str, name: str, value: object) -> object:
        """Return what an option of a choice is called, of several each; a number that the CRM does not know
        stays."""
        if isinstance(value, bool) or not isinstance(value, int | str):
            return value
        known = self.options.get(f"{kind}.{name}", {})
        return ", ".join(known.get(int(each), each) for each in str(value).split(","))


def words_of(connector: Connector, kinds: Collection[str], language: str) -> OwnWords:
    """Return the words for those of the kinds that are dependent tables. Raises ConnectorError."""
    words = OwnWords()
    for kind in connector.all_kinds.own:
        if kind.word in kinds:
            labels = connector.labels(kind.full, language)
            words.told.update({kind.word: labels.table, **{f"{kind.word}.{name}": text for name, text in labels.fields.items()}})
            words = OwnWords(words.told, {**words.options, **{f"{kind.word}.{name}": each for name, each in labels.options.items()}})
    return words
