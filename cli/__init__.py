"""How every program of this repository starts, reports errors and exits."""
