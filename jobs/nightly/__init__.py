"""The jobs of the night, one file each; recordings and retention share `plan_and_apply.py`."""
