"""What would become of a unit, or of all under another schedule: asked, and never applied."""
