"""Reads {"id", "argv", "name", "capability", "memoryBytes", "count"} as JSON Lines; prints for each whether this vLLM's create_engine_config
takes it. The card is a stand-in: its name, capability and memory are answered, and nothing is computed on it."""

import contextlib
import io
import json
import os
import subprocess
import sys
import types

#: What the stand-in lacks, by words of the error: says nothing about the command.
STAND_IN = ("vllm._C", "fa_utils", "flash_attn", "has no attribute '_vllm_fa", "tokenizer", "Tokenizer", "sentencepiece", "CUDA driver", "NVIDIA driver", "Invalid repository ID", "failed to tokenize", "validate_architecture")

#: A model that vLLM has not looked at yet is looked at by a process of its own, on the platform that is really there; vLLM keeps what it learns.
INSPECT = "import sys; from vllm.model_executor.models.registry import ModelRegistry; ModelRegistry.models[sys.argv[1]].inspect_model_cls()"


def inspect(folder):
    with contextlib.suppress(OSError, ValueError):
        with open(os.path.join(folder, "config.json")) as file:
            for name in json.load(file).get("architectures") or []:
                if name not in inspected:
                    inspected.add(name)
                    subprocess.run([sys.executable, "-c", INSPECT, name], capture_output=True)


inspected = set()

with contextlib.redirect_stdout(sys.stderr):
    for name in ("vllm._C", "vllm._C_stable_libtorch", "vllm._moe_C", "vllm._moe_C_stable_libtorch", "vllm._qutlass_C"):
        sys.modules[name] = types.ModuleType(name)
    attention = types.ModuleType("vllm.vllm_flash_attn")
    for name in ("flash_attn_varlen_func", "get_scheduler_metadata", "sparse_attn_func"):
        setattr(attention, name, None)
    attention.fa_version_unsupported_reason = lambda version, device=None: None
    attention.is_fa_version_supported = lambda version, device=None: True
    sys.modules["vllm.vllm_flash_attn"] = attention
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
    try:
        return resolved(case["argv"][1:])
    except ValueError as error:
        if "failed to be inspected" not in str(error):
            raise
    inspect(case["argv"][1])
    return resolved(case["argv"][1:])


def resolved(words):
    # Standard error stays what it is: the processes that inspect models are given it.
    with contextlib.redirect_stdout(io.StringIO()):
        args, _ = parser.parse_known_args(words)
        args.model = args.model_tag
        config = AsyncEngineArgs.from_cli_args(args).create_engine_config(UsageContext.OPENAI_API_SERVER)
    return {name: read(config) for name, read in FIELDS.items()}


for line in sys.stdin:
    case = json.loads(line)
    answer = {"id": case["id"], "refusal": None, "standIn": False}
    try:
        answer["resolved"] = configured(case)
    except (Exception, SystemExit) as error:
        text = f"{type(error).__name__}: {error}"
        answer["refusal"] = text[:1500]
        answer["standIn"] = any(word in text for word in STAND_IN)
        if os.environ.get("SERVEFIT_TRACE"):
            import traceback

            traceback.print_exc()
    print(json.dumps(answer), flush=True)
    print(f"{answer['id']}: {answer['refusal'] or 'accepted'}"[:200], file=sys.stderr, flush=True)
