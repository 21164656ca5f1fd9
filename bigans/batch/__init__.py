"""Any number of photos on any number of machines: `python -m bigans.batch`."""
