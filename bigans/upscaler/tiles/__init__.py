"""Photos that do not fit into memory: cut into tiles, enlarged, put together again."""
