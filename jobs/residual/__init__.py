"""What outlives the rows of a unit, in the CRM and in storage outside it: removed, and looked for again."""
