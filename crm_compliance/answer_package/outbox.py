"""Where an answer leaves from: archive, message and passphrase as files, or sealed beside the request until
somebody passes them on. Nothing is left half done: what was put aside stays only if the register says that
the answer is released."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from crm_compliance.answer_package.archive import archive_of, new_passphrase
from crm_compliance.answer_package.leak_check import search_message
from crm_compliance.answer_package.message import ENDING, message_text
from crm_compliance.answer_package.package import package_files
from crm_compliance.host.files import remove_begun, write_whole
from jobs.model.answer import Compilation
from jobs.requests.answer.download_link import TIMES
from rules.errors import UsageError
from rules.organisation.organisation import Organisation


class _Outbox:
    """The archive and the message of an answer, wherever they are put."""

    def __init__(self, organisation: Organisation, *, public_url: str) -> None:
        self._organisation = organisation
        self._public_url = public_url.rstrip("/")

    def address(self, token: str) -> str:
        return f"{self._public_url}/d/{token}"

    def package(
        self, compilation: Compilation, attachments: Mapping[str, bytes], told: Sequence[str], until: datetime
    ) -> tuple[bytes, str]:
        passphrase = new_passphrase()
        archive = archive_of(package_files(compilation, self._organisation, attachments, told=told), passphrase)
        # The message is searched without the link, whose token is chance.
        search_message(compilation, lambda each: self._text(each, "", until), self._organisation)
        return archive, passphrase

    def message(self, compilation: Compilation, token: str, until: datetime) -> str:
        return self._text(compilation, self.address(token), until)

    def _text(self, compilation: Compilation, address: str, until: datetime) -> str:
        return message_text(compilation, self._organisation, link=address, until=until, downloads=TIMES)


class FileOutbox(_Outbox):
    """Two files beside each other and, apart from them, a new one for the passphrase. Raises UsageError: the
    passphrase file is there already, or is the archive itself."""

    is_held = False

    def __init__(self, organisation: Organisation, *, archive: Path, passphrase_file: Path, public_url: str) -> None:
        super().__init__(organisation, public_url=public_url)
        self.archive = archive
        self.note = archive.with_name(archive.name + ENDING)
        self._secret = passphrase_file
        if passphrase_file.resolve() in (archive.resolve(), self.note.resolve()):
            raise UsageError("the passphrase cannot lie in the archive", hint="name two files", where=str(passphrase_file))

    def package(
        self, compilation: Compilation, attachments: Mapping[str, bytes], told: Sequence[str], until: datetime
    ) -> tuple[bytes, str]:
        self._refuse_old()  # not earlier: of a request that is released already, that is what is said
        return super().package(compilation, attachments, told, until)

    @contextmanager
    def putting(self, archive: bytes, passphrase: str, message: str) -> Iterator[None]:
        with write_whole(self.archive) as out, write_whole(self.note) as beside, write_whole(self._secret) as secret:
            self._refuse_old()
            # Of the passphrase only its room: who is killed now leaves nothing that opens the archive.
            for file, content in ((secret, bytes(len(passphrase.encode()))), (beside, message.encode()), (out, archive)):
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield
            self._refuse_old()  # somebody else's release was quicker: this one is in the console
            secret.seek(0)
            secret.write(passphrase.encode())
        self.clear()  # of a command that was killed a moment ago, which could have been at work before

    def clear(self) -> None:
        """Remove what a release that was killed had written of these files under other names. What the
        register had taken is in the console."""
        for path in (self._secret, self.note, self.archive):
            remove_begun(path)

    def _refuse_old(self) -> None:
        if os.path.lexists(self._secret):
            hint = "name a new file: an old passphrase is never written over"
            raise UsageError(f"{self._secret} is there already", hint=hint, where=str(self._secret))


class HeldOutbox(_Outbox):
    """Passphrase and message sealed beside the request, until somebody has passed them on; the archive is a
    part of the request anyway. All are stored at once: of two who release, the one who is refused would
    otherwise leave a passphrase that does not open the archive of the other."""

    is_held = True

    def putting(self, archive: bytes, passphrase: str, message: str) -> AbstractContextManager[None]:
        return nullcontext()
