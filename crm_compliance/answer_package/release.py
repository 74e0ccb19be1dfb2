"""Releases an answer: guards, files and message, needle test, archive and passphrase, and only then the
register.

Nothing is left half done: the archive takes its name, and the passphrase stays, only if the register says
that the answer is released.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from crm_compliance.answer_package.archive import archive_of, new_passphrase
from crm_compliance.answer_package.leak_test import NeedleFound, search_message
from crm_compliance.answer_package.message import ENDING, message_text
from crm_compliance.answer_package.package import Unchecked, package_of, sender_of
from crm_compliance.files import disk_errors, sync_folder, write_whole
from crm_compliance.service.web.downloads import TIMES, new_link
from jobs.model.answer import Compilation, ItemStatus
from jobs.model.request import PACKAGE
from jobs.ports.context import JobContext
from jobs.register.decision import decision_of
from jobs.register.permissions import signed
from jobs.requests.answer.compile import hand_of
from jobs.requests.answer.release import for_release, released, sent_back, sent_back_for
from rules.errors import UsageError
from rules.hints import Advice
from rules.model.personal_records import FULL
from rules.model.requests import Step


@dataclass(frozen=True, slots=True)
class Released:
    """What the second person is told: where the archive and the message to the person lie, its SHA-256, and
    the link in that message."""

    file: Path
    sha256: str
    link: str
    expires_at: datetime
    message: Path


def attachments_of(context: JobContext, compilation: Compilation, *, working_copy: bool = False) -> dict[str, bytes]:
    """Fetch what goes along, by its neutral name; what is no longer there is left to the package to miss.

    A working copy has also what waits: a person has to look at it (EXP-07).
    """
    contents = {}
    for item in compilation.items:
        waits = working_copy and item.status is ItemStatus.PENDING_REVIEW
        attachment = item.attachment if waits else item.shown_attachment
        if attachment is not None:
            found = context.connector.content(FULL[attachment.kind], attachment.id, attachment.field)
            if found is not None:
                contents[attachment.name] = found.body
    return contents


def release_request(
    context: JobContext, request_id: str, who: str, role: str, *, archive: Path, passphrase_file: Path, public_url: str
) -> Released:
    """Release an answer: write the archive and, apart from it, its passphrase, and make the link under which
    the archive is fetched.

    Raises:
        UsageError: an unknown request; the passphrase file is there already, or is the archive itself; a
            disk.
        Refused: a guard of the release, the needle test (`needle`) or a file that nobody has looked at
            (`unchecked`), because of which the request goes back to the review, an attachment that is not
            there.
        ConnectorError: what may be told now, or an attachment, cannot be read.
    """
    message = archive.with_name(archive.name + ENDING)
    if passphrase_file.resolve() in (archive.resolve(), message.resolve()):
        raise UsageError("the passphrase cannot lie in the archive", hint="name two files", where=str(passphrase_file))
    if os.path.lexists(passphrase_file):
        raise _not_new(passphrase_file)
    request, compiled = for_release(context, request_id, who, role)
    now = context.clock()
    compilation = msgspec.structs.replace(compiled, generated_at=now)
    decision = decision_of(context.store, request_id)
    named = {
        recipient.name for each in compilation.told_contexts() for recipient in each.recipients
    }  # never a shelter, to a parent (RGT-09)
    told = [notice.recipient for notice in decision.notices if notice.recipient in named] if decision is not None else []
    sender = sender_of(context.policy, compilation.language)
    link = new_link(now)

    def message_of(each: Compilation, address: str = "") -> str:
        return message_text(each, sender, link=address, until=link.until, downloads=TIMES)

    try:
        contents = package_of(compilation, sender, attachments_of(context, compilation), told=told)
        search_message(compilation, message_of, sender.said)  # without the link, whose token is chance
    except Unchecked as unchecked:
        raise sent_back(context, request, unchecked, who, role) from None
    except NeedleFound as found:
        if found.item:
            raise sent_back_for(context, request, found.item, found, who, role, is_near=found.is_near) from None
        found.hint = Advice.COMPILE_CORRECTED(request=request.id)
        raise
    passphrase = new_passphrase()
    zipped = archive_of(contents, passphrase)
    digest = hashlib.sha256(zipped).hexdigest()
    row = released(request, compilation, who, role, now, package_sha256=digest, link=link.digest, link_until=link.until, downloads=())
    entry = signed(("request", {"request": request.id, "step": Step.RELEASE.value, "sha256": digest}), hand_of(context, who, role))
    address = f"{public_url.rstrip('/')}/d/{link.token}"
    text = message_of(compilation, address)
    with write_whole(archive) as out, write_whole(message) as beside, _new_secret(passphrase_file, passphrase):
        beside.write(text.encode())
        beside.flush()
        os.fsync(beside.fileno())
        out.write(zipped)
        out.flush()
        os.fsync(out.fileno())
        context.store.requests.save(row, [entry], since=request, parts={PACKAGE: zipped})
    return Released(archive, digest, address, link.until, message)


@contextmanager
def _new_secret(path: Path, secret: str) -> Iterator[None]:
    """Write a new file for its owner's eyes (mode 0600); it is gone again where the block fails."""
    with disk_errors(path):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise _not_new(path) from None
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(f"there is no folder {path.parent}", hint="make the folder first", where=str(path)) from None
    try:
        with disk_errors(path):
            with open(handle, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _not_new(path: Path) -> UsageError:
    return UsageError(f"{path} is there already", hint="name a new file: an old passphrase is never written over", where=str(path))
