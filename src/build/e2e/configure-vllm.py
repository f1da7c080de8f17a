"""Reads {"id", "argv", "name", "capability", "memoryBytes", "count"} as JSON Lines; prints for each whether this vLLM's create_engine_config
takes it. The card is a stand-in: its name, capability and memory are answered, and nothing is computed on it."""

import contextlib
import functools
import importlib.abc
import importlib.machinery
import io
import json
import os
import sys
import types

#: What the stand-in lacks, by words of the error: says nothing about the command.
STAND_IN = ("vllm._C", "fa_utils", "flash_attn", "has no attribute '_vllm_fa", "tokenizer", "Tokenizer", "sentencepiece", "CUDA driver", "NVIDIA driver", "Invalid repository ID", "failed to tokenize", "validate_architecture")

class Stub(types.ModuleType):
    """A module of compiled code: whatever is taken from it is there, and does nothing."""

    __path__: list[str] = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **words: None


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the stub of a package of compiled code and of all within it."""

    packages = ("vllm.vllm_flash_attn",)

    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(f"{one}.") for one in self.packages):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        if module.__name__ == "vllm.vllm_flash_attn":
            module.fa_version_unsupported_reason = lambda version, device=None: None
            module.is_fa_version_supported = lambda version, device=None: True


with contextlib.redirect_stdout(sys.stderr):
    for name in ("vllm._C", "vllm._C_stable_libtorch", "vllm._moe_C", "vllm._moe_C_stable_libtorch", "vllm._qutlass_C"):
        sys.modules[name] = types.ModuleType(name)
    sys.meta_path.insert(0, StubFinder())
    import torch

    found = torch._ops._OpNamespace.__getattr__

    def with_answers(self, name):
        """What compiled code says of the card that it was built for: yes."""
        try:
            return found(self, name)
        except AttributeError:
            if "supports" not in name:
                raise
            return lambda *args: True

    torch._ops._OpNamespace.__getattr__ = with_answers
    import vllm.platforms
    import vllm.platforms.cuda as cuda
    from vllm.platforms.interface import DeviceCapability

    class Card(cuda.CudaPlatformBase):
        asked: dict = {}

        @classmethod
        def get_device_capability(cls, device_id=0):
            major, minor = str(cls.asked["capability"]).split(".")
            return DeviceCapability(major=int(major), minor=int(minor))

        @classmethod
        def get_device_name(cls, device_id=0):
            return cls.asked["name"]

        @classmethod
        def get_device_uuid(cls, device_id=0):
            return f"GPU-{device_id}"

        @classmethod
        def get_device_total_memory(cls, device_id=0):
            if "memoryBytes" not in cls.asked:
                raise NotImplementedError("the driver names no size")
            return cls.asked["memoryBytes"]

        @classmethod
        def is_fully_connected(cls, device_ids):
            return True

        @classmethod
        def device_count(cls):
            return cls.asked["count"]

        @classmethod
        def is_pin_memory_available(cls):
            return True

        @classmethod
        def num_compute_units(cls, device_id=0):
            return 132

        @classmethod
        def is_integrated_gpu(cls, device_id=0):
            return False

        @classmethod
        def import_kernels(cls):
            return None

    vllm.platforms._current_platform = Card()
    from vllm.triton_utils import triton

    # Triton is not there, and what stands for it has no settings of kernels, which are sorted out when modules are read.
    triton.Config = lambda settings=None, num_warps=4, num_stages=2, **more: types.SimpleNamespace(
        kwargs=settings or {}, num_warps=num_warps, num_stages=num_stages, all_kwargs=dict
    )
    import vllm.model_executor.models.registry as registry

    # vLLM looks at a model in a process of its own, which would find the platform that is really there, and other code of the model with it.
    registry._run_in_subprocess = lambda look: look()
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.usage.usage_lib import UsageContext
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = FlexibleArgumentParser(prog="vllm serve")
    parser.add_argument("model_tag", nargs="?")
    parser = AsyncEngineArgs.add_cli_args(parser)

FIELDS = {
    "maxModelLen": lambda config: config.model_config.max_model_len,
    "maxNumSeqs": lambda config: config.scheduler_config.max_num_seqs,
    "maxNumBatchedTokens": lambda config: config.scheduler_config.max_num_batched_tokens,
    "gpuMemoryUtilization": lambda config: config.cache_config.gpu_memory_utilization,
    "tp": lambda config: config.parallel_config.tensor_parallel_size,
    "pp": lambda config: config.parallel_config.pipeline_parallel_size,
    "dp": lambda config: config.parallel_config.data_parallel_size,
}


def configured(case):
    Card.asked = case
    return resolved(case["argv"][1:])


def refusal(case):
    """What vLLM says against the words of a case, if anything, and what it resolves them to."""
    try:
        return None, configured(case)
    except (Exception, SystemExit) as error:
        if os.environ.get("SERVEFIT_TRACE"):
            import traceback

            traceback.print_exc()
        return f"{type(error).__name__}: {error}"[:1500], None


@functools.cache
def refusal_without_options(folder):
    """What vLLM says against the model with no option at all, on a card of the same kind: says nothing about options."""
    return refusal({**Card.asked, "argv": ["serve", folder, "--trust-remote-code"]})[0]


def kind(text):
    return text.splitlines()[1 if "validation error" in text.splitlines()[0] and len(text.splitlines()) > 1 else 0][:120]


def resolved(words):
    with contextlib.redirect_stdout(io.StringIO()):
        args, _ = parser.parse_known_args(words)
        args.model = args.model_tag
        config = AsyncEngineArgs.from_cli_args(args).create_engine_config(UsageContext.OPENAI_API_SERVER)
    return {name: read(config) for name, read in FIELDS.items()}


for line in sys.stdin:
    case = json.loads(line)
    refused, values = refusal(case)
    answer = {"id": case["id"], "refusal": refused, "standIn": False}
    if refused is None:
        answer["resolved"] = values
    else:
        bare = refusal_without_options(case["argv"][1])
        answer["standIn"] = any(word in refused for word in STAND_IN) or (bare is not None and kind(bare) == kind(refused))
    print(json.dumps(answer), flush=True)
    print(f"{answer['id']}: {answer['refusal'] or 'accepted'}"[:200], file=sys.stderr, flush=True)
