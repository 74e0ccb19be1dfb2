"""Proof of what runs did, and that they left out no unit, for as long as it is kept."""
