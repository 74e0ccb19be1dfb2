"""No surname stops a release of which it is no part, and every one that is a part does (EXP-06, R-118). All
people are fictitious."""

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec
import pytest

from crm_compliance.answer_package import leak_check
from crm_compliance.answer_package.leak_check import searched_files
from crm_compliance.answer_package.package import package_of
from jobs.model.answer import Addressee, Compilation, Field, Recipient, Withheld
from jobs.ports.outbox import LeakFound
from rules.model.languages import LANGUAGES
from rules.redaction.leak_terms import LeakTerms, name_leak_term
from tests.crm_compliance.answer_package.samples import DOSSIER, GIFT, GIFTS, ORGANISATION, PERSON, compilation, fiche
from tests.saying import texts_in

COUNTRIES = (
    "nl_BE", "nl_NL", "fr_BE", "fr_FR", "de_DE", "de_AT", "en_GB", "en_US", "es_ES", "it_IT", "pt_PT", "sv_SE", "tr_TR", "ro_RO", "cs_CZ",
    "ar_AA", "ru_RU",
)  # fmt: skip
# Names that are words of markup, of codes, of our letters and file names, or are folded to one.
ALIKE = (
    "Claes", "Font", "De Block", "Class", "Table", "Span", "Body", "Title", "Page", "Pagina", "Brief", "Antwort", "Lettre",
    "Letter", "Index", "Data", "Manifest", "Attachment", "Scope", "Header", "Footer", "Section", "Style", "Main", "Nav", "Meta",
    "Charset", "Lang", "Caption", "Item", "Items", "Context", "Type", "Role", "Purpose", "Basis", "Category", "Recipients",
    "Retention", "Source", "Redactions", "Field", "Rule", "Label", "Withheld", "Schema", "Version", "Request", "Name", "Child",
    "Donor", "Fiche", "Dossier", "Reporter", "Recht", "Vader", "Bank", "Droit", "Mai", "Mei", "März", "Juni", "Frankreich",
    "Belgique", "Brussel", "Bruxelles", "Drukpers", "Bewaring", "Klacht", "Rechtbank", "Functionaris", "Hoogachting",
    "Salutations", "Gericht", "Beschwerde", "Auskunft", "Complaint", "Court", "Copy", "Kopie", "Adobe", "Typst", "Libertinus",
    "True", "False", "None", "Auto", "Soft", "Cover", "Entry", "Contents", "Viewport", "Width", "Noindex",
)  # fmt: skip


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    found = set(ALIKE)
    for country in COUNTRIES:
        provider = importlib.import_module(f"faker.providers.person.{country}").Provider
        for name in dir(provider):
            if name.startswith("last_names"):
                found |= set(getattr(provider, name))
    return frozenset(found)


@lru_cache(maxsize=4)
def prepared(values: tuple[str, ...]) -> LeakTerms:
    return LeakTerms(values)


@pytest.fixture(scope="module", autouse=True)
def prepared_once() -> Iterator[None]:
    """A search for the same thousands of names is prepared once, not twice for each answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leak_check, "LeakTerms", lambda values: prepared(tuple(values)))
        yield


def answer(language: str, right: str, *names: str) -> Compilation:
    """An answer with a context of each kind and a withheld item, and nothing that anybody wrote."""
    contexts = (msgspec.structs.replace(DOSSIER, recipients=(Recipient("processor", is_category=True),)), GIFTS)
    told = () if right == "erasure" else (msgspec.structs.replace(GIFT, fields=(Field("amount", 25.5, provided=True),)),)
    return compilation(
        language=language,
        right=right,
        addressee=Addressee("", is_minor=True),
        contexts=contexts,
        items=told,
        withheld=(Withheld("item"), Withheld("voice")),
        leak_terms=[name_leak_term("Zzyx", name) for name in names],
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", ["access", "portability", "erasure"])
def test_no_surname_stops_a_package_of_which_it_is_no_part(language: str, right: str) -> None:
    """All at once, which finds whatever one of them alone would find: each is looked for by itself."""
    assert len(surnames()) > 7000
    assert package_of(answer(language, right, *surnames()), ORGANISATION, {}, told=())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("bare", [{"answer": "neutral"}, {"refusal": "RF-04"}], ids=["neutral", "refusal"])
def test_no_surname_stops_a_letter_that_tells_nothing(language: str, bare: dict[str, str]) -> None:
    assert package_of(msgspec.structs.replace(answer(language, "access", *surnames()), contexts=(), items=(), **bare), ORGANISATION, {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_that_is_a_word_of_every_letter_is_found_where_the_crm_has_it(language: str) -> None:
    """One by one: planted in a text, a field and a recipient, each stops the release; the same words of ours
    do not, all at once, which finds whatever one of them alone would find."""
    words = sorted({word for text in texts_in(language).all_texts() for word in re.findall(r"[^\W\d_]{7,}", text)})
    clean, found = answer(language, "access"), list[str]()
    for word in words:
        leak_terms = (name_leak_term("Zzyx", word),)
        is_code = texts_in(language).value(word) != word  # as a field it is not what it seems to be
        if is_code or not prepared(leak_terms).found_in(word):  # or a word that is looked for as a part of the full name only
            continue
        found += leak_terms
        for planted in (
            {"items": (fiche(2, f"Gisteren kwam {word} langs."),)},
            {"items": (msgspec.structs.replace(GIFT, fields=(Field("name", word),)),)},
            {"contexts": (msgspec.structs.replace(DOSSIER, recipients=(Recipient(f"Meester {word}"),)),)},
        ):
            with pytest.raises(LeakFound):
                list(searched_files(msgspec.structs.replace(clean, leak_terms=leak_terms, **planted), (), ORGANISATION))
    assert len(found) > 100
    list(searched_files(msgspec.structs.replace(clean, leak_terms=found), (), ORGANISATION))


def test_the_town_of_the_person_is_theirs_whoever_is_called_like_it() -> None:
    """A single word of the own row; in a text it may be the other."""
    town = msgspec.structs.replace(PERSON, fields=(*PERSON.fields, Field("city", "Brugge")))
    leak_terms = (name_leak_term("Zzyx", "Brugge"),)
    assert package_of(compilation(items=(town,), withheld=(), leak_terms=leak_terms), ORGANISATION, {})
    with pytest.raises(LeakFound) as caught:
        package_of(compilation(items=(town, fiche(2, "Brugge belde haar.")), withheld=(), leak_terms=leak_terms), ORGANISATION, {})
    assert caught.value.item == "item-2"


def test_a_find_names_file_item_and_kind_and_never_the_word() -> None:
    """R-142."""
    with pytest.raises(LeakFound) as caught:
        package_of(
            compilation(items=(fiche(7, "Zij belde met Quaghebeur."),), leak_terms=(name_leak_term("Els", "Quaghebeur"),)), ORGANISATION, {}
        )
    assert (caught.value.where, caught.value.exit_code) == ("data.json item-7", 5)
    assert "item-7" in str(caught.value)
    assert "name" in str(caught.value)
    assert "uaghebeur" not in f"{caught.value}{caught.value.hint}{caught.value.where}"
