"""The types of the model: rows of the CRM in the product's words, decisions, requests, and who people are to
this product."""
