"""Who is signed in: MSAL's tokens between two commands of one login, so that one answer does not take six
device codes.

One file a login session below the data folder, encrypted with a key of the key ring, mode 0600. Another
login, of the same account or of another one, does not find it: who comes to the machine after me is not me.
What is older than the setting says is worth nothing."""

import hashlib
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from crm_compliance.host.files import disk_errors, private_folder, write_whole
from crm_compliance.keys.sealing import seal, unseal
from crm_compliance.keys.single_keys import signin_key
from rules.decoders import decoder_of

_NO_SESSION = "4294967295"  # what Linux says where nobody has logged in: a container, a service
FOLDER = "signed-in"


class Kept(msgspec.Struct):
    """What the file holds. `tokens` is MSAL's own form of its cache; `since` says when each account has
    signed in, the last one last."""

    tokens: str = ""
    since: dict[str, datetime] = {}


class SignedIn:
    """The people who are signed in, in this login session, at one authority by one application."""

    def __init__(self, data_dir: Path, *, authority: str, client: str, minutes: int, now: datetime, session: str | None = None) -> None:
        self._name = f"{session or login_session()} {authority} {client}".encode()
        self._minutes, self._now = minutes, now
        self._folder = data_dir / FOLDER
        self._file = self._folder / hashlib.sha256(self._name).hexdigest()[:16]
        self._key = signin_key(data_dir) if minutes else b""
        self.kept = self._read() if minutes else Kept()

    def accounts(self, known: list[dict[str, Any]], who: str) -> dict[str, Any] | None:
        """Return the account, among those that MSAL knows, that `--as` means: by object id, by account name,
        or by the part before its @; without `--as`, the one that signed in last."""
        lasting = {str(account.get("home_account_id")): account for account in known if self._lasts(account)}
        if not who:
            last = next((id for id in reversed(self.kept.since) if id in lasting), None)
            return None if last is None else lasting[last]
        wanted = who.casefold()
        found = [account for account in lasting.values() if wanted in _names(account)]
        return found[0] if len(found) == 1 else None

    def keep(self, tokens: str, account: str, *, is_new: bool) -> None:
        """Keep MSAL's tokens; `is_new`: this account has signed in just now."""
        if not self._minutes:
            return
        since = self.kept.since
        if is_new or account not in since:
            since = {id: moment for id, moment in since.items() if id != account} | {account: self._now}
        self.kept = Kept(tokens, since)
        private_folder(self._folder)
        with write_whole(self._file) as out:
            out.write(seal(self._key, msgspec.json.encode(self.kept), self._name))

    def _lasts(self, account: dict[str, Any]) -> bool:
        since = self.kept.since.get(str(account.get("home_account_id")))
        return since is not None and timedelta(0) <= self._now - since < timedelta(minutes=self._minutes)

    def _read(self) -> Kept:
        """Return what was kept; nothing where the file does not exist, is damaged, or has another key."""
        with disk_errors(self._file), suppress(FileNotFoundError, msgspec.MsgspecError):
            return decoder_of(Kept).decode(unseal(self._key, self._file.read_bytes(), self._name) or b"")
        return Kept()


def sign_out(data_dir: Path) -> int:
    """Forget everybody signed in on this installation; return in how many login sessions."""
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return 0
    files = [file for file in folder.iterdir() if file.is_file()]
    with disk_errors(folder):
        for file in files:
            file.unlink(missing_ok=True)
    return len(files)


def login_session() -> str:
    """Return the login session of this process as the system numbers them: it persists over `sudo`, and
    differs for everybody who logs in."""
    with suppress(OSError):
        number = Path("/proc/self/sessionid").read_text(encoding="ascii").strip()
        if number != _NO_SESSION:
            return f"login {number} of {os.getuid()}"
    leader = os.getsid(0)
    began = ""
    with suppress(OSError, IndexError):
        began = Path(f"/proc/{leader}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    return f"session {leader} {began} of {os.getuid()}"


def _names(account: dict[str, Any]) -> set[str]:
    """Return the names by which an account can be meant, case-folded."""
    name, id = str(account.get("username") or "").casefold(), str(account.get("local_account_id") or "").casefold()
    return {name, name.partition("@")[0], id} - {""}
