"""The jobs of the night, one file each; `retention.py` has that of recordings too."""
