"""Certificates as an auditor gets them."""

from crm_compliance.keys.public_keys import PublicKeys
from jobs.ledger.certificates import Certificate
from jobs.model.run import Run
from jobs.proof.attestation import LedgerIndex, attest, encode
from jobs.proof.checkpoint import make_checkpoint
from jobs.proof.verify_document import verify_document
from tests.drivers.night import Night


def certificates(night: Night, run: Run) -> list[Certificate]:
    return [issued.certificate for issued in night.store.certificates.of_run(run.id)]


def of_unit(night: Night, run: Run, table: str, row: str) -> Certificate:
    (found,) = (each for each in certificates(night, run) if each.unit_ref == night.key.reference(table, row))
    return found


def document(night: Night, run: Run) -> bytes:
    """As the command makes it."""
    notary = night.context.notary
    assert notary is not None
    make_checkpoint(night.store, notary, night.clock)
    return encode(attest(night.store, notary, run, LedgerIndex.read(night.store), night.policy.calendar))


def problems(night: Night, content: bytes) -> list[str]:
    keys = PublicKeys(key.raw for key in night.key.public())
    return [str(problem) for problem in verify_document(content, keys.check)[1]]
