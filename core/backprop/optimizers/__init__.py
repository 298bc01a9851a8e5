"""How parameters move from one iteration to the next: an optimizer a file, and a table of them all.

θ stands for all weights and biases at once, one flat vector. An optimizer works on a slope: the current θ, ∇J(θ), and a
way to evaluate them again once θ has moved.
"""
