"""`python -m crm_compliance` is the console command."""

from crm_compliance.cli.app import main

main()
