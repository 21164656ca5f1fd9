"""Files into pictures, a module for each library that decodes."""
