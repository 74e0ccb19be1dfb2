"""The jobs of the night, one file each, and what two of them share (`plan_and_apply.py`)."""
