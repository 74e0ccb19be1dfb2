"""What plays the product and those around it, for tests of several rooms.

Nights in this process, without commands: `night.py`, with what `holding.py`, `deciding.py` and `restoring.py`
do to one; `side_by_side.py` plays several cases in the same one. Commands as somebody types them, in this
process: `typist.py` (the fixture `typist_at` makes one), and who asks for an answer with them, `asking.py`
and `requesting.py`; a single command is run by `typed.py`. The rows of an organisation, for nights and
typists: `organisation.py`.

From outside, each command a process and each row over HTTP, by the contract alone, the product is driven by
`tests/independent` (`case.py`, `stage.py`): what it expects is computed without a line of the product, nor of
what is here. Only where its scenarios are played without processes (`tests/independent/inside.py`) does it
type with `typed.py`.
"""
