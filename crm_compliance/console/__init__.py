"""The console: pages in a browser for the DPO, the CRM administrator, the approver and the auditor."""
