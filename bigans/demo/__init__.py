"""The web page with the live knob: `python -m bigans.demo`."""
