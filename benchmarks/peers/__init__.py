"""Other people's ways of doing the same, to be timed beside ours."""
