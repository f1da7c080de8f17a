"""Puts the built npm package into the wheel and the source archive."""

import os
import shutil
import subprocess

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What the program needs of the repository, and of its one package that is not bundled.
PARTS = [
    "bin/run.js",
    "dist",
    "oclif.manifest.json",
    "package.json",
    "LICENSE",
    "node_modules/systeminformation/package.json",
    "node_modules/systeminformation/LICENSE",
    "node_modules/systeminformation/lib",
]
# Declarations and the library are for programs in TypeScript; what Node compiled ahead is for the Node that did it, which is not the wheel's.
LEFT_OUT = {"dist/library", "dist/start.cache"}


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        archived = os.path.join(self.root, "package")
        repository = os.path.dirname(self.root)
        place = archived if os.path.isdir(archived) else repository
        if place == repository:
            self.require_built(repository)
        target = "servefit/package" if self.target_name == "wheel" else "package"
        for part in PARTS:
            for path in files_below(place, part):
                build_data["force_include"][os.path.join(place, path)] = f"{target}/{path}"

    def require_built(self, repository):
        if os.path.exists(os.path.join(repository, "dist", "main.js")):
            return
        node = shutil.which("node")
        if node is None or not os.path.isdir(os.path.join(repository, "node_modules")):
            raise RuntimeError("the npm package is not built: run npm ci && npm run build in the repository first")
        subprocess.run([node, os.path.join("src", "build", "run.mjs"), "build"], cwd=repository, check=True)


def files_below(place, part):
    """Paths of the files of a part, with slashes, as they are below the place."""
    whole = os.path.join(place, *part.split("/"))
    if os.path.isfile(whole):
        return [part]
    found = []
    for folder, folders, names in os.walk(whole):
        folders.sort()
        below = os.path.relpath(folder, place).replace(os.sep, "/")
        if below in LEFT_OUT:
            folders.clear()
            continue
        found.extend(path for path in (f"{below}/{name}" for name in sorted(names)) if path not in LEFT_OUT)
    if not found:
        raise RuntimeError(f"{part} is missing in {place}")
    return found
