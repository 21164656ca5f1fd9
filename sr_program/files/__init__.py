"""Files that appear whole or not at all: atomic writes, the cache, downloads, versions."""
