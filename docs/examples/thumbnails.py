"""Small copies of figures, half as large and in 128 colours: ``python docs/examples/thumbnails.py TO FIGURE.png …``."""

import sys
from pathlib import Path

from PIL import Image

to, *figures = map(Path, sys.argv[1:])
to.mkdir(parents=True, exist_ok=True)
for path in figures:
    with Image.open(path) as figure:
        small = figure.convert("RGB").resize((figure.width // 2, figure.height // 2), Image.Resampling.LANCZOS)
        small.quantize(128, Image.Quantize.FASTOCTREE).save(to / path.name, optimize=True)  # others lose lines' colours
