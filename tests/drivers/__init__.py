"""What plays the product for tests of several rooms: whole nights, commands as somebody types them, and who
asks, decides and holds meanwhile.

`night.py` drives the jobs, `typist.py` the commands, both in the process of the tests. Over the contract
alone, from outside, `tests/independent` drives the product: it may not know what is here.
"""
