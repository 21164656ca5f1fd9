"""What both generators and the discriminators are built of."""
