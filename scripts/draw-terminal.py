"""Draws what a terminal showed as SVG: draw-terminal.py TITLE <TEXT >PICTURE. Needs rich; `make pictures` provides it."""

import re
import sys

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

lines = sys.stdin.read().strip("\n").splitlines()
text = Text.from_ansi("\n".join(lines))
width = max(len(line.plain) for line in text.split("\n"))
console = Console(record=True, width=width, file=open("/dev/null", "w"), force_terminal=True)
console.print(text, soft_wrap=False, no_wrap=True)
svg = console.export_svg(title=sys.argv[1], theme=MONOKAI)
# The reader's own monospace font, in the place of one from another host.
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)
# Names of classes that stay the same from run to run.
svg = re.sub(r"terminal-\d+", "terminal", svg)
sys.stdout.write(svg.replace("Fira Code", "ui-monospace, Menlo, Consolas"))
