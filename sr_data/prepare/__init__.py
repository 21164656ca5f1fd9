"""The program that cuts photos into tiles for training: `python -m sr_data.prepare`."""
