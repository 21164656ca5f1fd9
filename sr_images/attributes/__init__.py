"""What a file says of its picture beside the pixels, a module for each kind of it."""
