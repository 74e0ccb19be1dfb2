"""What the organisation calls its own tables, columns and options in the language of an answer, from the
CRM's display names, and its own categories, from the schedule (EXP-12)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from connectors.interface.connector import Connector
from jobs.model.answer import Item
from rules.organisation.category_names import category_labels
from rules.organisation.organisation import Organisation
from rules.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class OwnWords:
    """`told` are the words for each table and column, by `table` and `table.column`, and for further texts of
    a kind, by `kind.column`; `options` those of each option of a choice, by `table.column`."""

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
    """Return the words for those of the kinds that are dependent tables, and for further texts of the others.
    Raises ConnectorError."""
    told: dict[str, str] = {}
    options: dict[str, Mapping[int, str]] = {}
    for word, kind in connector.all_kinds.items():
        if word not in kinds:
            continue
        for source in connector.sources(kind.full) if kind.further else ():
            fields = connector.labels(source, language).fields
            told |= {f"{word}.{name}": fields[name] for name in kind.further if name in fields}
        if kind.own is not None:
            labels = connector.labels(kind.full, language)
            told |= {word: labels.table, **{f"{word}.{name}": text for name, text in labels.fields.items()}}
            options |= {f"{word}.{name}": each for name, each in labels.options.items()}
    return OwnWords(told, options)


def table_words(connector: Connector, not_searched: Collection[str], language: str) -> dict[str, str]:
    """Return what the CRM calls the dependent tables that are searched, by `searched.TABLE`, and by their
    codes the tables that are not; the same for everybody. Raises ConnectorError."""
    keys = {kind.word: f"searched.{kind.word}" for kind in connector.all_kinds.own}
    keys |= {code.removeprefix("table:"): code for code in not_searched if code.startswith("table:")}
    names = connector.table_names(keys, language)
    return {key: names.get(table, table) for table, key in keys.items()}


def category_words(policy: Policy, organisation: Organisation, items: Iterable[Item], language: str) -> dict[str, str]:
    """Return, by `categories.KEY`, what the schedule calls the categories of these items for which the
    organisation has no word: a key is nobody's word."""
    fields = (field for item in items for field in item.fields if field.name == "categories")
    keys = {key for field in fields for key in str(field.value).split(", ")} - organisation.words.get("value", {}).keys()
    return {f"categories.{key}": told[language] for key, told in category_labels(policy).items() if key in keys}
