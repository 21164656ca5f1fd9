"""The measures of each image, in parallel, in files that a run can be taken up from."""
