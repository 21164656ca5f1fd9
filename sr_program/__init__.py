"""How a program starts, takes settings, shows progress and fails in one line."""
