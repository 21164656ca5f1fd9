"""What is evaluated: whatever makes 4x images of benchmark images."""
