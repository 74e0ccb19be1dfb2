"""The package: which files an answer consists of, and what is in each (contract 5)."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from crm_compliance.answer_package.content.make_answer import answer_of
from crm_compliance.answer_package.content.view import shown_of
from crm_compliance.answer_package.data import data_json
from crm_compliance.answer_package.leak_check import searched_files
from crm_compliance.answer_package.letter import letter_pdf
from crm_compliance.answer_package.page import page_html
from crm_compliance.answer_package.table import data_csv
from crm_compliance.host.files import new_folder, private_folder, write_whole
from jobs.files.file_texts import reading_of
from jobs.model.answer import SEEN_UNCHECKED, Attachment, Compilation
from jobs.ports.outbox import Unchecked
from rules.errors import Refused
from rules.organisation.organisation import Organisation


class PackageBroken(Refused):
    """A file that an item promises is not there, or not the one that was looked at."""

    code = "attachment"


def package_of(
    compilation: Compilation,
    organisation: Organisation,
    attachments: Mapping[str, bytes],
    *,
    told: Sequence[str] = (),
    working_copy: bool = False,
) -> dict[str, bytes]:
    """Return every file of a package at once. Raises as `package_files`."""
    return dict(package_files(compilation, organisation, attachments, told=told, working_copy=working_copy))


def package_files(
    compilation: Compilation,
    organisation: Organisation,
    attachments: Mapping[str, bytes],
    *,
    told: Sequence[str],
    working_copy: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """Make the files of a package, one after the other, the manifest last; `attachments` holds the attached
    files, by neutral name, `told` those notified of a decision (art. 19). Raises LeakFound: something in it
    must not be sent; Unchecked: a file in it cannot be read, and nobody has stated that they looked at it;
    PackageBroken: an attachment is missing, or is not the same as it was."""
    files = _files(compilation, organisation, attachments, told, working_copy)
    sums = {}
    for name, content in files if working_copy else searched_files(compilation, files, organisation, told=told):
        sums[name] = hashlib.sha256(content).hexdigest()
        yield name, content
    yield "manifest.json", manifest_json(compilation, sums, organisation)


def _files(
    compilation: Compilation, organisation: Organisation, attachments: Mapping[str, bytes], told: Sequence[str], working_copy: bool
) -> Iterator[tuple[str, bytes]]:
    answer = answer_of(compilation, organisation, told=told, working_copy=working_copy)
    yield "letter.pdf", letter_pdf(answer)
    if answer.is_bare:
        return
    shown = shown_of(compilation, working_copy=working_copy)
    yield "index.html", page_html(answer)
    yield "data.json", data_json(compilation, shown, organisation)
    if compilation.right == "portability":
        yield "data.csv/data.csv", data_csv(shown)
    for item in shown.items:
        if item.attachment is None:
            continue
        content = attachments.get(item.file)
        if content is None:
            raise PackageBroken("an attachment cannot be read", hint="compile the request again", where=item.file)
        attachment = msgspec.structs.replace(item.attachment, name=item.file)  # the name that the reviewer knows
        yield f"attachments/{item.attachment.name}", _checked(compilation, attachment, content, working_copy)


def _checked(compilation: Compilation, attachment: Attachment, content: bytes, working_copy: bool) -> bytes:
    """Return a file as it may be attached: a picture drawn again; every other unchanged, if it could be read
    or a person vouches for it."""
    if attachment.sha256 and attachment.sha256 != hashlib.sha256(content).hexdigest() and not working_copy:
        message = f"{attachment.name} is another file than the one that was looked at"
        raise PackageBroken(message, hint="compile the request again, and review it", where=attachment.name)
    reading = reading_of(content, attachment.media_type)
    if reading.why and not working_copy:
        item = next((each for each in compilation.items if each.attachment is not None and each.attachment.name == attachment.name), None)
        if item is None or item.code != SEEN_UNCHECKED:
            named = item.item if item is not None else attachment.name
            hint = f"look at it, then decide on {named} in a review: APPROVED with code {SEEN_UNCHECKED}, or WITHHELD"
            raise Unchecked(f"{named}: the content of its file cannot be checked ({reading.why})", hint=hint, where=attachment.name)
    return content if reading.content is None else reading.content


def write_plain(
    compilation: Compilation,
    organisation: Organisation,
    attachments: Mapping[str, bytes],
    folder: Path,
    note: Callable[[Mapping[Path, bytes]], None] = lambda _: None,
) -> list[str]:
    """Write the DPO's working copy, not encrypted, into a new or empty folder (0700), and name the files;
    `note` is told first what is about to be written, and which folders are made for it, without content."""
    contents = package_of(compilation, organisation, attachments, working_copy=True)
    files = {folder / name: content for name, content in contents.items()}
    folders = {path.parent for path in files} - ({folder} if folder.exists() else set())
    new_folder(folder)
    note(files | dict.fromkeys(folders, b""))
    for path, content in files.items():
        if path.parent != folder:
            private_folder(path.parent)
        with write_whole(path) as out:
            out.write(content)
    return sorted(contents)


def manifest_json(compilation: Compilation, sums: Mapping[str, str], organisation: Organisation) -> bytes:
    """Make the file with the SHA-256 of every other file, so that anybody can see that none was changed
    (EXP-13). It says nothing of an answer that its neutral sister does not say: not even a size."""
    document = {
        "schema_version": "1.0",
        "request_id": compilation.request,
        "generated_at": compilation.generated_at.astimezone(ZoneInfo(organisation.timezone)).isoformat(timespec="seconds"),
        "files": dict(sorted(sums.items())),
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
