"""What this machine can do: precision, optional packages, processes, memory."""
