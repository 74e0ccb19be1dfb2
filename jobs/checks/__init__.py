"""What is looked at before anything is believed or done: the ledger, the CRM and its clock, the kill
switch."""
