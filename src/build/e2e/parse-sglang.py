"""Reads {"id", "argv"} as JSON Lines; prints for each whether this SGLang's own parser takes it, deprecated spellings named."""

import argparse
import contextlib
import io
import json
import sys
import warnings

with contextlib.redirect_stdout(sys.stderr):
    from sglang.srt.server_args import ServerArgs

    parser = argparse.ArgumentParser(prog="sglang serve")
    ServerArgs.add_cli_args(parser)


def words_of(argv):
    if argv[:2] == ["-m", "sglang.launch_server"]:
        return argv[2:]
    if argv[:1] == ["serve"]:
        rest = argv[1:]
        return ["--model-path", *rest] if rest and not rest[0].startswith("-") else rest
    return None


def refusal(argv):
    words = words_of(argv)
    if words is None:
        return "starts no server", None
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parser.parse_args(words)
    except SystemExit:
        return said.getvalue().strip().splitlines()[-1], None
    except Exception as error:
        return f"{type(error).__name__}: {error}", None
    remarks = [line for line in said.getvalue().splitlines() if "eprecated" in line] + [str(one.message) for one in caught]
    return None, "; ".join(remarks) or None


for line in sys.stdin:
    case = json.loads(line)
    refused, remark = refusal(case["argv"])
    print(json.dumps({"id": case["id"], "refusal": refused, "remark": remark}), flush=True)
