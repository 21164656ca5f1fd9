"""The trained generators that ship with the program, and the SavedModels made of them."""
