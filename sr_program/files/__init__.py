"""Files that appear complete or not at all, and directories of numbered versions."""
