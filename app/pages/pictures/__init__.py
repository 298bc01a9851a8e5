"""Pictures that pages show, as SVG."""
