"""How a person sees a training's progress: in a terminal, line by line, or in a notebook."""
