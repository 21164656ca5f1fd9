"""Generators of other makes: what `fusion.export` takes beside the models of this program."""
