"""The manifest: the SHA-256 of every other file, so that anybody can see that none was changed (EXP-13)."""

import hashlib
import json
from collections.abc import Mapping

from crm_compliance.answer_package.content.wording import BRUSSELS
from jobs.model.answer import Compilation

NAME = "manifest.json"


def manifest_json(compilation: Compilation, contents: Mapping[str, bytes]) -> bytes:
    """Make the file. It says nothing of an answer that its neutral sister does not say: not even a size."""
    document = {
        "schema_version": "1.0",
        "request_id": compilation.request,
        "generated_at": compilation.generated_at.astimezone(BRUSSELS).isoformat(timespec="seconds"),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
