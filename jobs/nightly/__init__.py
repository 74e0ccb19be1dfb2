"""The jobs of the night, one file each; `jobs/registry.py` has a line for each of them."""
