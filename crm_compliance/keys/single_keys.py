"""Keys of which there is one for as long as the installation lasts."""

import secrets
from pathlib import Path

from crm_compliance.host.files import disk_errors, place_once, private_folder
from crm_compliance.keys.key_file import LENGTH, KeyUnusable, content_of


def memory_key(data_dir: Path) -> bytes:
    """Return the key `keys/memory.key`, and make it if there is none. It encrypts what is remembered of the
    CRM between two reads."""
    return _kept(data_dir, "memory.key", "delete it: what was remembered is then read again")


def signin_key(data_dir: Path) -> bytes:
    """Return the key `keys/signin.key` that encrypts who is signed in, and make it if there is none."""
    return _kept(data_dir, "signin.key", "delete it: people then sign in again")


def pseudonym_key(data_dir: Path) -> bytes:
    """Return the key `keys/pseudonym.key` of pseudonyms that outlive a run, and make it if there is none.
    Only a schedule that keeps a pseudonym asks for it, and then nothing is anonymous (ERA-02)."""
    return _kept(data_dir, "pseudonym.key", "restore it from a backup")


def _kept(data_dir: Path, name: str, remedy: str) -> bytes:
    file = private_folder(private_folder(data_dir) / "keys") / name
    with disk_errors(file):
        if not file.exists():
            place_once(file, secrets.token_bytes(LENGTH))
    key = content_of(file)
    if len(key) != LENGTH:
        raise KeyUnusable(f"{file} is not a key of {LENGTH} bytes", hint=remedy, where=str(file))
    return key
