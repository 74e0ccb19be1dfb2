"""One request to the CRM and its answer: address, account, retries, faults."""
