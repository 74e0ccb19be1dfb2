"""The register of subject requests for the people who answer them, and an answer for those who review it."""
