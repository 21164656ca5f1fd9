"""What makes a low-resolution crop look like a photo: blur, noise, JPEG, other reductions."""
