"""Prints what an installed package needs, one requirement a line, without the local part of versions (torch==2.13.0+cpu):
the package index has no such builds, and the one of the same release serves."""

import re
import sys
from importlib.metadata import requires

from packaging.requirements import Requirement

for text in requires(sys.argv[1]) or []:
    needed = Requirement(text)
    if needed.marker and not needed.marker.evaluate({"extra": ""}):
        continue
    extras = f"[{','.join(sorted(needed.extras))}]" if needed.extras else ""
    print(f"{needed.name}{extras}{re.sub(r'[+][a-z0-9.]+', '', str(needed.specifier))}")
