"""Masking techniques, and the figures that outlive a dossier."""
