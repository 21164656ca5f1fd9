"""Which photos a command line names, where their results go, and which of them have to be made."""
