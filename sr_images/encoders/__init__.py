"""Pictures into files, a module for each library that encodes."""
