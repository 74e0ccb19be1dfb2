"""De Diepte: what is written about a dossier is in reports, their paragraphs and what is attached to these;
dossiers have themes and fiches, both many to many."""

from base64 import b64decode
from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

from tests.forms.form import REFERENCE, Form, Renamed, renamed
from tests.forms.rows import PAIRED, Row

TABLES = {
    table: Renamed(table.replace("cf_", "di_"), {column: column.replace("cf_", "di_") for column in REFERENCE.columns(table)})
    for table in REFERENCE.tables
}
MARK = "(fictief)"  # of a subject that is ours: the product writes notes too
THEMES, FICHES = "di_dossier_themas", "di_dossier_fiches"


def translate(rows: list[Row]) -> list[Row]:
    """Rows of the reference environment as this organisation has them."""
    written = [row for row in rows if _is_report(row)]
    others = [_paired(row) for row in renamed((row for row in rows if not _is_report(row)), TABLES)]
    themes = [_theme(row) for row in rows if row.table == "cf_dossier"]
    return [*others, *themes, *(each for row in written for each in _report(row))]


def _paired(row: Row) -> Row:
    """A fiche is tied to its dossier by a pair."""
    if row.table != "di_fiche" or "di_dossierid" not in row.links:
        return row
    return row.where(links={PAIRED + FICHES if column == "di_dossierid" else column: link for column, link in row.links.items()})


def _is_report(row: Row) -> bool:
    about = row.links.get("objectid")
    return row.table == "annotation" and about is not None and about[0] == "cf_dossier" and MARK in row.values.get("subject", "")


def _report(note: Row) -> Iterator[Row]:
    """A report, its paragraph, and what is attached to that."""
    _, dossier = note.links["objectid"]
    report = Row("di_verslag", note.id, {"di_naam": note.values["subject"]}, {"di_dossier": ("di_dossier", dossier)}, created=note.created)
    told = {"di_naam": "Alinea", "di_tekst": note.values["notetext"]}
    paragraph = Row("di_alinea", below(note.id), told, {"di_verslag": report.key}, created=note.created)
    yield from (report, paragraph)
    if "documentbody" in note.values:
        files = {"di_inhoud": b64decode(note.values["documentbody"])}
        named = {"di_naam": note.values["filename"]}
        yield Row("di_bijlage", below(paragraph.id), named, {"di_alinea": paragraph.key}, files, created=note.created)


def _theme(dossier: Row) -> Row:
    own = below(dossier.id)
    about = {PAIRED + THEMES: ("di_dossier", dossier.id)}
    return Row("di_thema", own, {"di_naam": f"Thema {own[:8]} {MARK}"}, about, created=dossier.created)


def below(row: str) -> str:
    """The id of what depends on a row."""
    return str(uuid5(NAMESPACE_URL, f"below {row}"))


FORM = Form("deep", translate, told_elsewhere=frozenset({"di_verslag", "di_alinea", "di_bijlage", "di_thema"}))
