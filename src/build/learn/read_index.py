"""Prints the releases of packages as the configured package index lists them: python3 read_index.py SECONDS NAME...

The index, proxies and certificates are those of pip's own settings, and pip does the asking. JSON: {name: [{version,
uploaded?}]}. `uploaded` is absent where the index, or this release of pip, does not give it.
"""

import json
import re
import subprocess
import sys

VERSION = re.compile(r"^[A-Za-z0-9_.]+?-(\d[A-Za-z0-9.!+]*?)(?:-(?:\d[A-Za-z0-9_]*-)?[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl|\.tar\.gz|\.zip)$")


def through_pip(names, seconds):
    """The index's own answer. pip's inner parts are not a public interface: any surprise falls back to `pip index`."""
    from pip._internal.commands import create_command
    from pip._internal.models.link import Link

    command = create_command("download")
    options, _ = command.parse_args(["--pre", "--timeout", str(seconds), "--retries", "0"])
    found = {}
    with command.main_context():
        session = command.get_default_session(options)
        collector = command._build_package_finder(options, session)._link_collector
        for name in names:
            for place in collector.search_scope.get_index_urls_locations(name):
                answer = collector.fetch_response(Link(place))
                if answer is None or "json" not in answer.content_type:
                    continue
                dates = {}
                for file in json.loads(answer.content).get("files", []):
                    match = VERSION.match(file.get("filename", ""))
                    if not match or file.get("yanked"):
                        continue
                    when = (file.get("upload-time") or "")[:10]
                    before = dates.get(match.group(1))
                    dates[match.group(1)] = min(before, when) if before and when else before or when
                found[name] = [{"version": version, **({"uploaded": when} if when else {})} for version, when in dates.items()]
    return found


def through_command(name, seconds):
    shown = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", name, "--pre", "--timeout", str(seconds), "--retries", "0"],
        capture_output=True, text=True, timeout=3 * seconds, check=False,
    )  # fmt: skip
    match = re.search(r"^Available versions: (.+)$", shown.stdout, re.M)
    return [{"version": version.strip()} for version in match.group(1).split(",")] if match else []


def main():
    seconds, *names = sys.argv[1:]
    try:
        found = through_pip(names, int(seconds))
    except Exception:
        found = {}
    for name in names:
        if not found.get(name):
            try:
                found[name] = through_command(name, int(seconds))
            except Exception:
                found[name] = []
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
