"""A table of visits that has a term of its own."""

VISITS = """\
home_visits:
  labels: {nl: Huisbezoeken, fr: Visites, en: Home visits, de: Hausbesuche}
  basis: Reports are needed to account for the visits
  source: Decision of the controller of 3 March 2026
  unit: own_table
  type: years_after
  years: 3
  anchor: own_date
  disposition: delete
"""
