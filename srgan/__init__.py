"""What both branches are made of: layers, losses, the adversarial model and its training loop."""
