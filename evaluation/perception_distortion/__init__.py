"""The perception–distortion plane: Figure 5 of the paper, and the choice of ξ."""
