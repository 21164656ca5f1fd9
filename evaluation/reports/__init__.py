"""What a run found, as Markdown, as JSON and beside the paper's figures."""
