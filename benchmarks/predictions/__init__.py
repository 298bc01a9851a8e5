"""How fast models answer: ours, MLServer and BentoML, beside the floor of bare handlers."""
