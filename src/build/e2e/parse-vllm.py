"""Reads {"id", "argv"} as JSON Lines; prints for each whether this vLLM's own parser and its first checks take it."""

import contextlib
import importlib
import io
import json
import sys

with contextlib.redirect_stdout(sys.stderr):
    import vllm.platforms
    from vllm.platforms.cpu import CpuPlatform

    # The code of a CUDA release finds no device here, and the defaults that its parser prints name one.
    vllm.platforms._current_platform = CpuPlatform()
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    for place in ("common", "launchers", "openai"):  # 0.33.0, 0.31.0, before
        try:
            cli_args = importlib.import_module(f"vllm.entrypoints.{place}.cli_args")
            break
        except ModuleNotFoundError:
            continue
    make_arg_parser, validate_parsed_serve_args = cli_args.make_arg_parser, cli_args.validate_parsed_serve_args

    parser = make_arg_parser(FlexibleArgumentParser(prog="vllm serve"))


def refusal(argv):
    if argv[:1] != ["serve"]:
        return "does not begin with serve"
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            validate_parsed_serve_args(parser.parse_args(argv[1:]))
    except SystemExit:
        return said.getvalue().strip().splitlines()[-1]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], "refusal": refusal(case["argv"])}), flush=True)
