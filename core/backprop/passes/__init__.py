"""How a training's examples go through its network, forward and back."""
