"""Prints what the sources of one release say, as JSON: python3 read_engine.py vllm|sglang FOLDER

FOLDER holds an unpacked source distribution or wheel. Nothing of the engine is imported or run. What cannot be read
stands under `unread` with its place and the reason.
"""

import ast
import hashlib
import json
import os
import re
import sys

from static_python import (
    ClassRef, Env, External, FunctionRef, HintRef, LambdaRef, Member, Returned, SetValue, Sources, Unknown, atoms, copied,
)  # fmt: skip

# The engines' own code that turns a record's fields into options, as it was when this reader was written (a digest of its names
# and values). Another digest is reported: the rules below may then read options wrongly.
KNOWN_TRANSLATORS = {
    "vllm": {"87b63799a564", "8fa5b659213f", "5ea2770f149d"},  # 0.28.0, 0.29.0, 0.31.0
    "sglang": {"217708bae302", "ec5e9d58104e"},  # 0.5.18, 0.5.20
}


class Parser:
    """Stands for argparse's parser and its groups: keeps what is added."""

    def __init__(self, reader):
        self.reader = reader

    def methods(self, name, args, keywords, node, env):
        if name == "add_argument":
            self.reader.add(args, keywords, node, env)
            return None
        if name in ("add_argument_group", "add_mutually_exclusive_group"):
            return self
        return Unknown(f"parser.{name}() is not read")


class Reader:
    def __init__(self, engine, folder, package_root):
        self.engine, self.folder = engine, folder
        self.sources = Sources(package_root, engine)
        self.options = []
        self.parser = Parser(self)
        self.sources.special = {
            "get_kwargs": lambda function, args, keywords, node, env: copied(self.kwargs_of(args[0])) if args and isinstance(args[0], ClassRef) else Unknown("get_kwargs"),
            "get_field": lambda function, args, keywords, node, env: self.sources.attribute_of_class(args[0], args[1]) if isinstance(args[0], ClassRef) else Unknown("get_field"),
            "optional_type": lambda function, args, keywords, node, env: args[0],
            "parse_type": lambda function, args, keywords, node, env: args[0],
            "add_cli_args_from_dataclass": lambda function, args, keywords, node, env: self.add_record(args[1], node, env),
            "list_registered": lambda function, args, keywords, node, env: self.registered(function),
            "_declared_default": lambda function, args, keywords, node, env: self.declared.get(args[0]),
        }
        self.declared = {}

    def read(self, module_name, function_name, owner=None):
        module = self.sources.module(module_name)
        if module is None:
            self.unread("options", module_name, "no such module in this release")
            return
        target = self.sources.lookup(module, owner) if owner else None
        function = self.sources.attribute_of_class(target, function_name) if isinstance(target, ClassRef) else self.sources.lookup(module, function_name)
        if not isinstance(function, FunctionRef):
            self.unread("options", module_name, f"no {function_name} in it")
            return
        self.sources.run(function, [self.parser], {}, Env(module))

    def unread(self, what, where, why):
        entry = {"what": what, "where": where, "why": why}
        if entry not in self.sources.notes:
            self.sources.notes.append(entry)

    # vLLM: fields of a record become keyword arguments of add_argument (get_kwargs in vllm/engine/arg_utils.py).

    def kwargs_of(self, cls):
        found = {}
        for name, (annotation, value, owner, doc) in self.sources.fields(cls).items():
            env = Env(owner.module)
            hint, _ = atoms(self.sources, annotation, env)
            kwargs = {"help": doc}
            default = self.sources.default(value, env) if value is not None else None
            kwargs["default"] = default
            kinds = {atom[0] for atom in hint}
            lost = [atom[1] for atom in hint if atom[0] == "unknown"]
            if lost:
                kwargs["hint"] = Unknown(f"its type names {lost[0]}")
            plain = {atom[1] for atom in hint if atom[0] == "plain"}
            literal = [item for atom in hint if atom[0] == "literal" for item in atom[1] if item is not None]
            if "record" in kinds and not any(is_plain_record(self.sources, atom[1]) for atom in hint if atom[0] == "record"):
                kwargs["type"] = "json"
            elif plain == {"bool", "str"} and "none" in kinds:
                kwargs.update(type="str", nargs="?")
            elif "bool" in plain:
                kwargs["action"] = External("argparse.BooleanOptionalAction")
            elif literal:
                kwargs["type"] = type(literal[0]).__name__
                kwargs["metavar" if "str" in plain else "choices"] = list(literal)
            elif "sequence" in kinds:
                inner = [atom for atom in hint if atom[0] == "sequence"][0][1]
                kwargs.update(type="str", nargs="+")
                values = [item for atom in inner if atom[0] == "literal" for item in atom[1]]
                if values:
                    kwargs["choices"] = values
            elif "int" in plain:
                kwargs["type"] = "int"
            elif "float" in plain:
                kwargs["type"] = "float"
            elif "json" in kinds:
                kwargs["type"] = "json"
            elif "enum" in kinds:
                enumeration = [atom[1] for atom in hint if atom[0] == "enum"][0]
                numbers = "IntEnum" in self.sources.base_names(enumeration)
                members = [member for member in self.sources.members(enumeration)]
                kwargs["type"] = "int" if numbers else "str"
                kwargs["choices"] = [member.value if numbers else member.name for member in members]
            elif "str" in plain or lost or kinds & {"other", "record"}:
                kwargs["type"] = "str"
            else:
                kwargs["type"] = Unknown(f"type {ast.unparse(annotation)}")
            found[name] = kwargs
        return found

    # SGLang: fields annotated with help or Arg(...) (arg_groups/arg_utils.py); before 0.5.11 every option is written out.

    def add_record(self, cls, node, env):
        for name, (annotation, value, owner, _) in self.record_fields(cls).items():
            field_env = Env(owner.module)
            hint, extra = atoms(self.sources, annotation, field_env)
            default = self.sources.default(value, field_env) if value is not None else None
            self.declared[name] = default
            meta = None
            for part, part_env in extra:
                if isinstance(part, ast.Call) and ast.unparse(part.func).split(".")[-1] == "Arg":
                    meta = {keyword.arg: self.sources.eval(keyword.value, part_env) for keyword in part.keywords}
                    break
                text = self.sources.eval(part, part_env)
                if isinstance(text, str):
                    meta = {"help": text}
                    break
            if meta is None or meta.get("no_cli") is True:
                continue
            # A field that is unset by default and names what every reader takes instead.
            if default is None and meta.get("fallback") is not None:
                default = meta["fallback"]
            names = [meta.get("cli_name") or "--" + name.replace("_", "-"), *(meta.get("aliases") or [])]
            kwargs = {"help": meta.get("help", ""), "default": default}
            lost = [atom[1] for atom in hint if atom[0] == "unknown"]
            if lost and meta.get("type_parser") is None and meta.get("action") is None:
                kwargs["hint"] = Unknown(f"its type names {lost[0]}")
            plain = {atom[1] for atom in hint if atom[0] == "plain"}
            literal = [item for atom in hint if atom[0] == "literal" for item in atom[1] if item is not None]
            sequence = [atom[1] for atom in hint if atom[0] == "sequence"]
            if meta.get("action") is not None:
                kwargs["action"] = meta["action"]
                kwargs.update(meta.get("action_kwargs") or {})
            elif literal:
                kwargs.update(type=meta.get("type_parser") or type(literal[0]).__name__, choices=meta.get("choices") or literal)
            elif sequence and meta.get("type_parser") is None:
                kwargs.update(type="str", nargs=meta.get("nargs") or "+", choices=meta.get("choices"))
            elif plain == {"bool"}:
                kwargs["action"] = "store_true"
            else:
                kwargs["type"] = meta.get("type_parser") or (sorted(plain)[0] if len(plain) == 1 else "str")
                kwargs.update(choices=meta.get("choices"), nargs=meta.get("nargs"))
            self.keep(names, kwargs, annotation, Env(owner.module))

    def record_fields(self, cls):
        fields = self.sources.fields(cls)
        if fields:
            return fields
        # From 0.5.20 the record is put together of the classes listed at the foot of the module.
        listed = self.sources.lookup(cls.module, "_INPUT_NAMESPACES")
        order = self.sources.member_of_module("sglang.srt.arg_groups.field_order", "POSITIONAL_FIELD_ORDER")
        found = {}
        for namespace in listed if isinstance(listed, list) else []:
            if isinstance(namespace, ClassRef):
                found.update(self.sources.fields(namespace))
        if not found:
            self.unread("options", self.sources.place(cls.module), f"{cls.name} has no fields that the sources give")
        names = [name for name in order if name in found] if isinstance(order, (list, tuple)) else []
        names += [name for name in found if name not in set(names)]
        return {name: found[name] for name in names}

    # Every add_argument

    def add(self, args, keywords, node, env):
        if not args or not all(isinstance(arg, str) for arg in args):
            self.sources.note("an option", env.module, node, "its name is made at run time")
            return
        if "**" in keywords:
            self.sources.note(args[0], env.module, node, f"its settings are made at run time: {keywords.pop('**')}")
        self.keep(args, keywords, node, env)

    def keep(self, names, given, node, env):
        names = [name for name in names if name.startswith("-")]
        if not names:
            return
        main = next((name for name in names if name.startswith("--")), names[0])
        aliases = [name for name in names if name != main]
        action = given.get("action")
        action_name = action if isinstance(action, str) else getattr(action, "name", "").split(".")[-1] if action is not None else ""
        kind = kind_of(given.get("type"))
        choices = given.get("choices")
        loose = given.get("metavar")
        default = given.get("default")
        nargs = given.get("nargs")
        help_text = given.get("help") if isinstance(given.get("help"), str) else ""
        is_open = False
        unread = []
        note = lambda why: self.sources.note(main, env.module, node, why)  # noqa: E731
        if isinstance(given.get("hint"), Unknown):
            note(given["hint"].why)
            unread += ["type", "choices"]
        if isinstance(action, Unknown):
            note(f"action: {action.why}")
        if isinstance(kind, Unknown):
            note(f"type: {kind.why}")
            unread.append("type")
            kind = "str"
        if action_name == "BooleanOptionalAction":
            kind = "bool"
            aliases += ["--no-" + name[2:] for name in names if name.startswith("--")]
        elif action_name in ("store_true", "store_false", "DeprecatedAction", "DeprecatedStoreTrueAction", "DeprecatedStoreConstAction"):
            kind = "bool" if nargs is None and choices is None else kind or "str"
            if action_name == "store_true" and "default" not in given:
                default = False
        elif nargs in ("+", "*") or isinstance(nargs, int):
            kind = "list"
        elif kind is None and given.get("type") is None:
            kind = "str"
        if isinstance(loose, list) and choices is None:
            choices, is_open = loose, True
        if isinstance(choices, Unknown):
            note(f"choices: {choices.why}")
            unread.append("choices")
            choices = None
        if choices is not None:
            if isinstance(choices, dict):
                choices = list(choices)
            choices = [choice.name if isinstance(choice, Member) else choice for choice in choices if choice is not None]
            if any(not isinstance(choice, (str, int, float)) for choice in choices):
                note("choices: some are made at run time")
                unread.append("choices")
                choices = [choice for choice in choices if isinstance(choice, (str, int, float))]
            if isinstance(given.get("choices"), SetValue):
                choices = sorted(choices, key=str)
        if kind == "str" and choices and not is_open:
            kind = "enum"
        row = {"name": main, "type": kind or "str"}
        if aliases:
            row["aliases"] = aliases
        if choices:
            row["choices"] = choices
        if is_open:
            row["open"] = True
        if isinstance(default, Member):
            default = default.value if isinstance(default.value, int) and kind == "int" else default.name if choices and default.name in choices else default.value
        if isinstance(default, tuple):
            default = list(default)
        if isinstance(default, (str, int, float, bool, list, dict)) and default not in ([], {}) and "default" in given or default is False:
            if is_constant(default):
                row["default"] = default
        elif isinstance(default, (Unknown, HintRef)) or (isinstance(default, External) and not default.name.endswith("SUPPRESS")):
            note(f"default: {default.why if isinstance(default, Unknown) else getattr(default, 'name', 'a hint')}")
            unread.append("default")
        if action_name.startswith("Deprecated") or says_deprecated(help_text):
            row["deprecated"] = True
            successor = given.get("new_flag")
            if isinstance(successor, str):
                row["instead"] = successor
        if unread:
            row["unread"] = unread
        row["source"] = self.sources.place(env.module)
        before = [index for index, other in enumerate(self.options) if other["name"] == main]
        if before:
            note("it is added twice: the later one is taken")
            self.options[before[0]] = row
        else:
            self.options.append(row)

    # Parsers

    def registered(self, function):
        """Names of a parser registry of vLLM: a table of lazily loaded ones, or decorators of the classes."""
        package = function.module.package()
        names = self.registry_names(package)
        if not names:
            self.unread("parsers", package, "no table of parsers and no decorators found")
        return names

    def registry_names(self, package):
        module = self.sources.module(package)
        names = []
        if module is None:
            return names
        for bound in module.bindings:
            if bound.endswith("_TO_REGISTER"):
                table = self.sources.lookup(module, bound)
                if isinstance(table, dict):
                    names += [name for name in table if isinstance(name, str)]
        folder = os.path.dirname(module.path)
        for file in sorted(os.listdir(folder)):
            if not file.endswith(".py"):
                continue
            inner = self.sources.module(f"{package}.{file[:-3]}") if file != "__init__.py" else None
            for node in ast.walk(inner.tree) if inner else []:
                if not isinstance(node, ast.ClassDef):
                    continue
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("register_module"):
                        for given in [*decorator.args, *[keyword.value for keyword in decorator.keywords if keyword.arg == "name"]]:
                            value = self.sources.eval(given, Env(inner))
                            names += [value] if isinstance(value, str) else [v for v in value if isinstance(v, str)] if isinstance(value, (list, tuple)) else []
        return list(dict.fromkeys(names))

    # Weight formats and their floors

    def floors(self, table):
        """Method -> least compute capability times ten, where the class gives one number."""
        found = {}
        for name, cls in table.items():
            if not isinstance(name, str):
                continue
            entry = {"name": name}
            method = self.sources.attribute_of_class(cls, "get_min_capability") if isinstance(cls, ClassRef) else None
            if isinstance(method, FunctionRef):
                own = {node.value.value for node in ast.walk(method.node) if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant)}
                returns = [node for node in ast.walk(method.node) if isinstance(node, ast.Return)]
                if len(own) == 1 and len(returns) == 1 and isinstance(next(iter(own)), int):
                    entry["minCapability"] = next(iter(own)) / 10
                    entry["source"] = self.sources.place(method.module)
                else:
                    self.unread(f"the capability floor of {name}", f"{self.sources.place(method.module)}:{method.node.lineno}", "more than one number, or none")
            else:
                self.unread(f"the capability floor of {name}", "quantization", "its class gives none that the sources show")
            found[name] = entry
        return list(found.values())

    def digest(self, module_name, names):
        """What the engine does to turn fields into options, as one short text."""
        module = self.sources.module(module_name)
        parts = []
        for name in names:
            value = self.sources.lookup(module, name) if module else None
            if not isinstance(value, FunctionRef):
                continue
            # Names and values only: how a tree is printed differs between releases of Python.
            for node in ast.walk(value.node):
                for key in ("id", "attr", "arg", "value"):
                    word = getattr(node, key, None)
                    if isinstance(word, (str, int, float)) and word != ast.get_docstring(value.node, clean=False):
                        parts.append(f"{key} {word}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12] if parts else None


def is_plain_record(sources, cls):
    """A class that the command line takes as text: no dataclass."""
    decorated = [ast.unparse(decorator) for each in sources.lineage(cls) for decorator in each.node.decorator_list]
    return not any("dataclass" in text or text.split("(")[0] == "config" for text in decorated)


def is_constant(value):
    if isinstance(value, list):
        return all(is_constant(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_constant(item) for key, item in value.items())
    return value is None or isinstance(value, (str, int, float, bool))


def kind_of(given):
    """int, float, bool, json or str for what add_argument got as `type`."""
    if given is None or isinstance(given, Unknown):
        return given
    if isinstance(given, str):
        return given if given in ("int", "float", "bool", "json") else "str"
    if isinstance(given, LambdaRef):
        return "str"
    if isinstance(given, External):
        short = given.name.split(".")[-1]
        return {"int": "int", "float": "float", "bool": "bool", "loads": "json"}.get(short, "str")
    if isinstance(given, FunctionRef):
        name = given.name
        returns = ast.unparse(given.node.returns) if given.node.returns is not None else ""
        if "json" in name or "dict" in name:
            return "json"
        if "int" in name.split("_") or re.match(r"int\b", returns):
            return "int"
        if re.match(r"float\b", returns):
            return "float"
        return "str"
    return Unknown("a type that is made at run time")


def says_deprecated(text):
    start = " ".join(text.split())[:160]
    return bool(re.match(r"\W*(deprecated|removed)\b", start, re.I) or re.search(r"^\S+(\s\S+)? is deprecated\b|\(deprecated\b|is deprecated and will be removed", start, re.I))


# Build targets


def text_of(folder, *parts):
    path = os.path.join(folder, *parts)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def vllm_builds(reader):
    found = {}
    cmake = text_of(reader.folder, "CMakeLists.txt")
    if cmake is None:
        reader.unread("build targets", "CMakeLists.txt", "not in this package: the source distribution has it")
    else:
        gfx = re.search(r'set\(HIP_SUPPORTED_ARCHS\s+"([^"]+)"', cmake)
        if gfx:
            found["hipSources"] = gfx.group(1).split(";")
        cuda = []
        lines = cmake.split("\n")
        for index, line in enumerate(lines):
            targets = re.search(r'set\(CUDA_SUPPORTED_ARCHS\s+"([\d.;]+)"', line)
            if not targets:
                continue
            condition = " ".join(lines[max(0, index - 5) : index])
            least = re.findall(r"VERSION_GREATER_EQUAL\s+([\d.]+)", condition)
            is_else = re.search(r"\belse\(\)\s*$", condition.strip()) is not None
            cuda.append({**({"cudaFrom": least[-1]} if least and not is_else else {}), "capabilities": targets.group(1).split(";")})
        if cuda:
            found["cudaSources"] = cuda
    docker = text_of(reader.folder, "docker", "Dockerfile")
    if docker:
        targets = re.findall(r"ARG torch_cuda_arch_list='([^']+)'", docker)
        if targets:
            found["cudaImage"] = targets[-1].split()
            if len(set(targets)) > 1:
                reader.unread("build targets", "docker/Dockerfile", f"more than one list of capabilities: {' | '.join(sorted(set(targets)))}")
        version = re.search(r"ARG CUDA_VERSION=([\d.]+)", docker)
        if version:
            found["cudaVersion"] = version.group(1)
    rocm = text_of(reader.folder, "docker", "Dockerfile.rocm_base")
    if rocm:
        targets = re.search(r'ARG PYTORCH_ROCM_ARCH="?([\w;]+)', rocm)
        if targets:
            found["rocmImage"] = targets.group(1).split(";")
        base = re.search(r"ARG BASE_IMAGE=(\S+)", rocm)
        if base:
            found["rocmBase"] = base.group(1)
    requirements = text_of(reader.folder, "requirements", "cuda.txt")
    if requirements:
        found["requires"] = {name: version for name, version in re.findall(r"^(torch|flashinfer-python)\s*==\s*([\w.+]+)", requirements, re.M)}
    return found


def wheel_builds(reader):
    """A wheel that holds Python only names the packages with its kernels: their builds decide."""
    for name in sorted(os.listdir(reader.folder)):
        text = text_of(reader.folder, name, "METADATA") if name.endswith(".dist-info") else text_of(reader.folder, "PKG-INFO") if name == "PKG-INFO" else None
        if text:
            wanted = r"^Requires-Dist:\s*(torch|sgl-kernel|sglang-kernel|flashinfer[-_]python)(?:\[[^\]]*\])?\s*==\s*([\w.+]+)\s*(?:;(.*))?$"
            found = {name.replace("_", "-"): version for name, version, marker in re.findall(wanted, text, re.M) if "extra" not in marker}
            if found:
                return {"requires": found}
    reader.unread("build targets", "METADATA", "no package with kernels named")
    return {}


# The engines


def read_vllm(folder):
    reader = Reader("vllm", folder, folder)
    cli = next((name for name in ("vllm.entrypoints.common.cli_args", "vllm.entrypoints.launchers.cli_args", "vllm.entrypoints.openai.cli_args") if reader.sources.module(name)), None)
    cli = cli or find_definition(reader, "make_arg_parser", "cli_args.py")
    if cli is None:
        reader.unread("options", "vllm/entrypoints", "no cli_args.py with make_arg_parser: where are the options declared now?")
    else:
        reader.read(cli, "make_arg_parser")
    sources = reader.sources
    parsers = next((names for package in ("vllm.tool_parsers", "vllm.entrypoints.openai.tool_parsers") if (names := reader.registry_names(package))), [])
    reasoning = reader.registry_names("vllm.reasoning")
    for name, names in (("--tool-call-parser", parsers), ("--reasoning-parser", reasoning)):
        for option in reader.options:
            if option["name"] == name and names:
                option.update(type="str", choices=names, open=True)
    registry = sources.module("vllm.model_executor.models.registry")
    models = sources.lookup(registry, "_VLLM_MODELS") if registry else None
    gone = sources.lookup(registry, "_PREVIOUSLY_SUPPORTED_MODELS") if registry else None
    plugins = sources.lookup(registry, "_OOT_SUPPORTED_MODELS") if registry else None
    if not isinstance(models, dict):
        reader.unread("architectures", "vllm/model_executor/models/registry.py", "no table _VLLM_MODELS")
    quantization = sources.module("vllm.model_executor.layers.quantization")
    floors = []
    function = sources.lookup(quantization, "get_quantization_config") if quantization else None
    if isinstance(function, FunctionRef):
        floors = reader.floors(local_table(sources, function, "method_to_config"))
    else:
        reader.unread("capability floors", "vllm/model_executor/layers/quantization/__init__.py", "no get_quantization_config")
    version = text_of(folder, "vllm", "_version.py") or ""
    commit = re.search(r"commit_id = 'g([0-9a-f]+)'", version)
    return reader, {
        "version": version_in(version) or version_of_package(folder),
        **({"commit": commit.group(1)} if commit else {}),
        "translator": reader.digest("vllm.engine.arg_utils", ["_compute_kwargs", "get_kwargs", "literal_to_kwargs", "collection_to_kwargs"]),
        "options": reader.options,
        "architectures": [name for name in models if isinstance(name, str)] if isinstance(models, dict) else [],
        "gone": plain_table(gone),
        "plugins": plain_table(plugins),
        "quantization": floors,
        "builds": vllm_builds(reader),
    }


def read_sglang(folder):
    root = folder if os.path.isdir(os.path.join(folder, "sglang")) else os.path.join(folder, "python")
    reader = Reader("sglang", folder, root)
    sources = reader.sources
    reader.read("sglang.srt.server_args", "add_cli_args", "ServerArgs")
    architectures = []
    folder_of_models = os.path.join(root, "sglang", "srt", "models")
    for file in sorted(os.listdir(folder_of_models)) if os.path.isdir(folder_of_models) else []:
        if not file.endswith(".py") or file == "__init__.py":
            continue
        module = sources.module(f"sglang.srt.models.{file[:-3]}")
        entry = module.bindings.get("EntryClass") if module else None
        if entry is None or entry[0] != "value":
            continue
        value = sources.eval(entry[1], Env(module))
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ClassRef):
                architectures.append(item.name)
            else:
                reader.unread("an architecture", sources.place(module), f"EntryClass: {item}")
    quantization = sources.module("sglang.srt.layers.quantization")
    table = sources.lookup(quantization, "BASE_QUANTIZATION_METHODS") if quantization else None
    if isinstance(table, dict):
        reader.unread("weight formats of single platforms", "sglang/srt/layers/quantization/__init__.py", "added at run time: only the common table is read")
    algorithms = sources.member_of_module("sglang.srt.speculative.spec_info", "SpeculativeAlgorithm")
    methods = [member.name for member in sources.members(algorithms) if member.name != "NONE"] if isinstance(algorithms, ClassRef) else []
    if not methods:
        reader.unread("speculative methods", "sglang/srt/speculative/spec_info.py", "no SpeculativeAlgorithm")
    return reader, {
        "version": version_of_package(folder) or version_in(text_of(root, "sglang", "_version.py") or text_of(root, "sglang", "version.py") or ""),
        "translator": reader.digest("sglang.srt.arg_groups.arg_utils", ["add_cli_args_from_dataclass", "_infer_type_func", "_unwrap_optional"]),
        "options": reader.options,
        "architectures": list(dict.fromkeys(architectures)),
        "gone": {},
        "plugins": {},
        "quantization": reader.floors(table) if isinstance(table, dict) else [],
        **({"speculativeMethods": methods} if methods else {}),
        "builds": wheel_builds(reader),
    }


def find_definition(reader, name, file_name):
    """The module under the package whose file has this name and defines that function."""
    for folder, _, files in os.walk(os.path.join(reader.folder, reader.engine)):
        if file_name in files:
            dotted = os.path.relpath(os.path.join(folder, file_name), reader.folder)[: -len(".py")].replace(os.sep, ".")
            module = reader.sources.module(dotted)
            if module is not None and name in module.bindings:
                return dotted
    return None


def local_table(sources, function, name):
    """A table that a function builds before it returns."""
    env = Env(function.module, {parameter.arg: Unknown("an argument") for parameter in function.node.args.args})
    for node in function.node.body:
        try:
            sources.statement(node, env)
        except Returned:
            break
    found = env.names.get(name)
    return found if isinstance(found, dict) else {}


def plain_table(value):
    return {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, str)} if isinstance(value, dict) else {}


def version_in(text):
    match = re.search(r"^__version__ = (?:version = )?['\"]([^'\"]+)['\"]", text, re.M)
    return match.group(1) if match else None


def version_of_package(folder):
    for name in sorted(os.listdir(folder)):
        text = text_of(folder, name, "METADATA") if name.endswith(".dist-info") else text_of(folder, name) if name == "PKG-INFO" else None
        match = re.search(r"^Version: (\S+)", text or "", re.M)
        if match:
            return match.group(1)
    return None


def main():
    engine, folder = sys.argv[1:3]
    reader, facts = {"vllm": read_vllm, "sglang": read_sglang}[engine](os.path.abspath(folder))
    if facts["translator"] is not None and facts["translator"] not in KNOWN_TRANSLATORS[engine]:
        reader.unread("the rules for options", "KNOWN_TRANSLATORS in read_engine.py", f"the engine turns fields into options by code that this reader was not written for ({facts['translator']}): compare types and defaults")
    facts["unread"] = reader.sources.notes
    json.dump(facts, sys.stdout, indent=1, sort_keys=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.setrecursionlimit(5000)
    main()
