"""The feature network φ, and where its weights are from."""
