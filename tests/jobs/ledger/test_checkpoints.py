"""A checkpoint says what is signed and stamped, is known again, and leads on to the next one (ACC-06)."""

import msgspec

from jobs.ledger.checkpoints import KeptCheckpoint, encode, looks_like_one
from jobs.ledger.merkle import Tree
from tests.jobs.ledger.chains import chain, points_of


def test_kept_peaks_lead_on_only_where_they_are_those_of_the_root() -> None:
    entries = chain(range(5))
    tree = Tree()
    for entry in entries:
        tree.add(bytes.fromhex(entry.hash))
    (point,) = points_of(entries, [5])
    peaks = tuple(peak.hex() for peak in tree.peaks)
    kept = KeptCheckpoint(point, peaks).tree()
    assert kept is not None
    assert kept.root == tree.root
    for wrong in ((), peaks[::-1], ("zz", "00"), ("00" * 32, peaks[1])):
        assert KeptCheckpoint(point, wrong).tree() is None


def test_a_time_stamp_is_no_part_of_what_is_signed_or_stamped() -> None:
    (point,) = points_of(chain(range(2)), [2])
    stamped = msgspec.structs.replace(point, timestamp="AAAA")
    assert (stamped.message, stamped.form, stamped.digest) == (point.message, point.form, point.digest)


def test_a_letter_does_not_look_like_a_checkpoint() -> None:
    assert not looks_like_one(b"Geachte heer\n")
    assert looks_like_one(encode(points_of(chain(range(2)), [2])[0])[5:])
