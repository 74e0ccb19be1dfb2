"""The register of requests: its steps, dates and sealed parts."""
