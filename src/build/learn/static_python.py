"""Reads values out of Python sources without running them: the standard library's `ast` and nothing else.

A small interpreter of the part of Python that engines use to declare their options: literals, names, imports inside the
same package, classes as records, enumerations, type hints, plain functions. Whatever it cannot work out becomes an
`Unknown` with the reason, never a guess.
"""

import ast
import os

MOST_DEPTH = 40


class Unknown:
    """A value that the sources alone do not give."""

    def __init__(self, why):
        self.why = why

    def __repr__(self):
        return f"Unknown({self.why})"


class External:
    """Something of a module outside the package, by its dotted name: json.loads, argparse.SUPPRESS."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"External({self.name})"


class ModuleRef:
    def __init__(self, name):
        self.name = name


class ClassRef:
    def __init__(self, module, node):
        self.module, self.node, self.name = module, node, node.name


class FunctionRef:
    def __init__(self, module, node, owner=None, bound=None):
        self.module, self.node, self.name, self.owner, self.bound = module, node, node.name, owner, bound or owner


class LambdaRef:
    def __init__(self, node, env):
        self.node, self.env = node, env


class SuperRef:
    def __init__(self, owner, bound):
        self.owner, self.bound = owner, bound


class Member:
    """A member of an enumeration."""

    def __init__(self, owner, name, value):
        self.owner, self.name, self.value = owner, name, value

    def __eq__(self, other):
        return isinstance(other, Member) and (self.owner.name, self.name) == (other.owner.name, other.name)

    def __hash__(self):
        return hash((self.owner.name, self.name))


class SetValue(list):
    """A set: without doubles; printed sorted, since its order means nothing."""

    def add(self, item):
        if item not in self:
            self.append(item)


MISSING = object()


class Returned(Exception):
    def __init__(self, value):
        self.value = value


class Env:
    """Names of a function's body, then those of its module."""

    def __init__(self, module, names=None, owner=None, bound=None):
        self.module, self.names, self.owner, self.bound = module, dict(names or {}), owner, bound


class Module:
    def __init__(self, name, path, tree, is_package):
        self.name, self.path, self.tree, self.is_package = name, path, tree, is_package
        self.bindings = {}
        self.values = {}
        self.stars = []
        self._bind(tree.body)

    def package(self):
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def _bind(self, body, weak=False):
        for node in body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                self._set(node.name, ("node", node), weak)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    # A class that is built anew under its own name is still described by its body.
                    if isinstance(target, ast.Name) and not self._is_class(target.id):
                        self._set(target.id, ("value", node.value), weak)
            elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
                self._set(node.target.id, ("value", node.value), weak)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                self._set(node.target.id, ("declared", node.annotation), True)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                before = self.bindings.get(node.target.id)
                if before and before[0] == "value":
                    joined = ast.copy_location(ast.BinOp(before[1], node.op, node.value), node)
                    self.bindings[node.target.id] = ("value", joined)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                for bound, target in imported(node, self):
                    if bound == "*":
                        self.stars.append(target[1])
                    else:
                        self._set(bound, ("import", target), weak)
            elif isinstance(node, ast.If):
                # What type checkers see is what was meant: at run time the same names are often only `Any`.
                self._bind(node.body, weak)
                self._bind(node.orelse, True)
            elif isinstance(node, ast.Try):
                self._bind(node.body, weak)
                for handler in node.handlers:
                    self._bind(handler.body, True)
            elif isinstance(node, ast.With):
                self._bind(node.body, weak)

    def _is_class(self, name):
        kind, *rest = self.bindings.get(name, (None,))
        return kind == "node" and isinstance(rest[0], ast.ClassDef)

    def _set(self, name, binding, weak):
        if not weak or name not in self.bindings:
            self.bindings[name] = binding


def imported(node, module):
    """What an import binds: (name, ("module", dotted)) or (name, ("from", dotted module, attribute))."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            dotted = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or dotted, ("module", dotted)
        return
    base = node.module or ""
    if node.level:
        parts = module.package().split(".")
        parts = parts[: len(parts) - (node.level - 1)]
        base = ".".join(parts + ([node.module] if node.module else []))
    for alias in node.names:
        yield alias.asname or alias.name, ("from", base, alias.name)


class Sources:
    """The sources of one package; `special` answers calls that are known by name before anything is interpreted."""

    def __init__(self, root, package):
        self.root, self.package = root, package
        self.modules = {}
        self.special = {}
        self.notes = []
        self.depth = 0

    def note(self, what, module, node, why):
        entry = {"what": what, "where": f"{self.place(module)}:{getattr(node, 'lineno', 0)}", "why": why}
        if entry not in self.notes:
            self.notes.append(entry)

    def place(self, module):
        return os.path.relpath(module.path, self.root).replace(os.sep, "/")

    def module(self, name):
        if name in self.modules:
            return self.modules[name]
        base = os.path.join(self.root, *name.split("."))
        found = None
        for path, is_package in ((os.path.join(base, "__init__.py"), True), (base + ".py", False)):
            if os.path.isfile(path):
                with open(path, encoding="utf-8-sig") as file:
                    try:
                        tree = ast.parse(file.read(), path)
                    except SyntaxError as error:
                        self.notes.append({"what": name, "where": os.path.relpath(path, self.root), "why": f"not readable as Python: {error.msg}"})
                        break
                found = Module(name, path, tree, is_package)
                break
        self.modules[name] = found
        return found

    # Names

    def lookup(self, module, name, missing=None):
        """The value that a module's top level gives a name, or `missing`."""
        if name in module.values:
            return module.values[name]
        binding = module.bindings.get(name)
        if binding is None:
            for base in module.stars:
                other = self.module(base) if base.split(".")[0] == self.package and not name.startswith("_") else None
                value = self.lookup(other, name, MISSING) if other is not None and other is not module else MISSING
                if value is not MISSING:
                    return value
            return missing
        module.values[name] = Unknown(f"{name} refers to itself")
        module.values[name] = value = self._bound(module, binding)
        return value

    def _bound(self, module, binding):
        kind = binding[0]
        if kind == "node":
            node = binding[1]
            return ClassRef(module, node) if isinstance(node, ast.ClassDef) else FunctionRef(module, node)
        if kind == "value":
            return self.eval(binding[1], Env(module))
        if kind == "declared":
            return Unknown("declared without a value")
        return self.resolve_import(binding[1])

    def resolve_import(self, target):
        if target[0] == "module":
            return ModuleRef(target[1]) if target[1].split(".")[0] == self.package else External(target[1])
        _, base, name = target
        if base.split(".")[0] != self.package:
            return External(f"{base}.{name}")
        return self.member_of_module(base, name)

    def member_of_module(self, base, name):
        module = self.module(base)
        if module is not None:
            value = self.lookup(module, name, MISSING)
            if value is not MISSING:
                return value
        if self.module(f"{base}.{name}") is not None:
            return ModuleRef(f"{base}.{name}")
        lazily = self.lazy_member(module, name) if module is not None else None
        return lazily if lazily is not None else Unknown(f"{base} has no {name}")

    def lazy_member(self, module, name):
        """A name that a package's __getattr__ imports on first use: found in a table of names and modules."""
        for binding in list(module.bindings.values()):
            if binding[0] != "value" or not isinstance(binding[1], ast.Dict):
                continue
            for key, value in zip(binding[1].keys, binding[1].values):
                if isinstance(key, ast.Constant) and key.value == name:
                    target = self.eval(value, Env(module))
                    target = target[0] if isinstance(target, tuple) and target else target
                    if isinstance(target, str) and not target.startswith("."):
                        found = self.module(target.split(":")[0])
                        if found is not None:
                            return self.lookup(found, name)
        return None

    # Classes

    def bases(self, cls):
        found = [self.eval(base, Env(cls.module)) for base in cls.node.bases]
        return [base for base in found if isinstance(base, ClassRef)]

    def lineage(self, cls):
        """The class, then its bases, nearest first."""
        seen = [cls]
        for base in self.bases(cls):
            for each in self.lineage(base):
                if not any(each.node is other.node for other in seen):
                    seen.append(each)
        return seen

    def base_names(self, cls):
        names = set()
        for each in self.lineage(cls):
            for base in each.node.bases:
                names.add(ast.unparse(base).split(".")[-1])
        return names

    def is_enum(self, cls):
        return any(name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag") for name in self.base_names(cls))

    def members(self, cls):
        found, count = [], 0
        for node in cls.node.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name.startswith("_"):
                    continue
                count += 1
                value = self.eval(node.value, Env(cls.module, {m.name: m.value for m in found}))
                if isinstance(value, Unknown) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func).endswith("auto"):
                    value = name.lower() if "StrEnum" in self.base_names(cls) else count
                found.append(Member(cls, name, value))
        return found

    def fields(self, cls):
        """Annotated names of a record and its bases: name -> (annotation, value node or None, class, docstring)."""
        found = {}
        for each in reversed(self.lineage(cls)):
            body = each.node.body
            for index, node in enumerate(body):
                if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
                    continue
                if "ClassVar" in ast.unparse(node.annotation):
                    continue
                after = body[index + 1] if index + 1 < len(body) else None
                doc = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str) else ""
                before = found.get(node.target.id)
                found[node.target.id] = (node.annotation, node.value, each, doc or (before[3] if before else ""))
        return found

    def attribute_of_class(self, cls, name):
        if self.is_enum(cls):
            for member in self.members(cls):
                if member.name == name:
                    return member
        if name in ("__name__",):
            return cls.name
        if name == "__doc__":
            return ast.get_docstring(cls.node) or ""
        for each in self.lineage(cls):
            for node in reversed(each.node.body):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
                    return FunctionRef(each.module, node, each, cls)
                target, value = None, None
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    target, value = node.target.id, node.value
                elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    target, value = node.targets[0].id, node.value
                if target == name and value is not None:
                    return self.default(value, Env(each.module, self.class_names(each)))
        return Unknown(f"{cls.name} has no {name} that the sources give")

    def class_names(self, cls):
        """Plain values that a class's body names before others use them."""
        names = {}
        for node in cls.node.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                names[node.targets[0].id] = self.eval(node.value, Env(cls.module, names))
        return names

    def default(self, node, env):
        """A field's default, through field(...) and Field(...). None where it has none or is built by a record's class."""
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("field", "Field"):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if node.args:
                given.setdefault("default", node.args[0])
            if "default" in given:
                return self.default(given["default"], env)
            factory = given.get("default_factory")
            if factory is None:
                return None
            if isinstance(factory, ast.Lambda):
                return self.eval(factory.body, env)
            made = self.eval(factory, env)
            if isinstance(made, External) and made.name in ("list", "dict", "set", "tuple"):
                return {"list": [], "dict": {}, "set": SetValue(), "tuple": ()}[made.name]
            if isinstance(made, ClassRef):
                return None
            return self.call(made, [], {}, factory, env)
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            return None
        return self.eval(node, env)

    # Expressions

    def eval(self, node, env):
        self.depth += 1
        try:
            if self.depth > MOST_DEPTH * 8:
                return Unknown("too deep")
            method = getattr(self, f"eval_{type(node).__name__}", None)
            return method(node, env) if method else Unknown(f"{type(node).__name__} is not read")
        finally:
            self.depth -= 1

    def eval_Constant(self, node, env):
        return node.value

    def eval_Name(self, node, env):
        if node.id in env.names:
            return env.names[node.id]
        value = self.lookup(env.module, node.id, MISSING)
        if value is not MISSING:
            return value
        if node.id in ("True", "False", "None"):
            return {"True": True, "False": False, "None": None}[node.id]
        if node.id in BUILTINS:
            return External(node.id)
        return Unknown(f"{node.id} is not defined at the top of {env.module.name}")

    def eval_Attribute(self, node, env):
        value = self.eval(node.value, env)
        return self.attribute(value, node.attr)

    def attribute(self, value, name):
        if isinstance(value, Unknown):
            return value
        if isinstance(value, ModuleRef):
            return self.member_of_module(value.name, name)
        if isinstance(value, External):
            full = f"{value.name}.{name}"
            return EXTERNAL_VALUES.get(full, External(full))
        if isinstance(value, ClassRef):
            return self.attribute_of_class(value, name)
        if isinstance(value, Member):
            return {"name": value.name, "value": value.value}.get(name, Unknown(f"{value.name}.{name}"))
        if isinstance(value, SuperRef):
            for base in self.lineage(value.owner)[1:]:
                for part in base.node.body:
                    if isinstance(part, ast.FunctionDef) and part.name == name:
                        return FunctionRef(base.module, part, base, value.bound)
            return Unknown(f"no base of {value.owner.name} has {name}")
        if isinstance(value, FunctionRef) and name == "__doc__":
            return ast.get_docstring(value.node) or ""
        if isinstance(value, PLAIN) or hasattr(value, "methods"):
            return ("method", value, name)
        return Unknown(f"attribute {name}")

    def eval_List(self, node, env):
        return self.items(node.elts, env)

    def eval_Tuple(self, node, env):
        return tuple(self.items(node.elts, env))

    def eval_Set(self, node, env):
        made = SetValue()
        for item in self.items(node.elts, env):
            made.add(item)
        return made

    def items(self, nodes, env):
        made = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                value = self.eval(node.value, env)
                spread = self.iterate(value)
                made.extend(spread if spread is not None else [value if isinstance(value, Unknown) else Unknown("spread")])
            else:
                made.append(self.eval(node, env))
        return made

    def eval_Dict(self, node, env):
        made = {}
        for key, value in zip(node.keys, node.values):
            if key is None:
                spread = self.eval(value, env)
                if isinstance(spread, dict):
                    made.update(spread)
                continue
            name = self.eval(key, env)
            if isinstance(name, (str, int, float, bool, Member, tuple)) or name is None:
                made[name] = self.eval(value, env)
        return made

    def eval_JoinedStr(self, node, env):
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
            else:
                value = self.eval(part.value, env)
                text += value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else "..."
        return text

    def eval_BinOp(self, node, env):
        left, right = self.eval(node.left, env), self.eval(node.right, env)
        for side in (left, right):
            if isinstance(side, (Unknown, External, ClassRef, FunctionRef)):
                return side if isinstance(side, Unknown) else Unknown("arithmetic with something that is no value")
        try:
            if isinstance(node.op, ast.Add):
                made = left + right
                return SetValue(made) if isinstance(left, SetValue) else made
            if isinstance(node.op, ast.Sub):
                return SetValue([x for x in left if x not in right]) if isinstance(left, SetValue) else left - right
            if isinstance(node.op, ast.BitOr):
                if isinstance(left, dict):
                    return {**left, **right}
                return SetValue(list(dict.fromkeys([*left, *right]))) if isinstance(left, SetValue) else left | right
            if isinstance(node.op, ast.Mult):
                return left * right
            if isinstance(node.op, ast.Pow):
                return left**right if abs(right) < 100 else Unknown("too large")
            if isinstance(node.op, ast.LShift):
                return left << right if right < 100 else Unknown("too large")
            if isinstance(node.op, ast.Div):
                return left / right
            if isinstance(node.op, ast.FloorDiv):
                return left // right
            if isinstance(node.op, ast.Mod) and not isinstance(left, str):
                return left % right
        except Exception as error:  # a wrong pair of types in the sources: no value
            return Unknown(str(error))
        return Unknown("an operator that is not read")

    def eval_UnaryOp(self, node, env):
        value = self.eval(node.operand, env)
        if isinstance(node.op, ast.Not):
            truth = self.truth(value)
            return value if truth is None else not truth
        if isinstance(value, (int, float)):
            return -value if isinstance(node.op, ast.USub) else +value if isinstance(node.op, ast.UAdd) else ~value
        return Unknown("sign of something that is no number")

    def truth(self, value):
        if isinstance(value, (Unknown, External)):
            return None
        if isinstance(value, (ClassRef, FunctionRef, ModuleRef, Member)):
            return True
        return bool(value)

    def eval_BoolOp(self, node, env):
        last = None
        for part in node.values:
            last = self.eval(part, env)
            truth = self.truth(last)
            if truth is None:
                return Unknown("a condition that depends on the machine or the run")
            if truth is not isinstance(node.op, ast.And):
                return last
        return last

    def eval_Compare(self, node, env):
        left = self.eval(node.left, env)
        for op, part in zip(node.ops, node.comparators):
            right = self.eval(part, env)
            if isinstance(left, (Unknown, External)) or isinstance(right, (Unknown, External)):
                return Unknown("a condition that depends on the machine or the run")
            try:
                held = {
                    ast.Eq: lambda: left == right,
                    ast.NotEq: lambda: left != right,
                    ast.In: lambda: left in right,
                    ast.NotIn: lambda: left not in right,
                    ast.Is: lambda: left is right,
                    ast.IsNot: lambda: left is not right,
                    ast.Lt: lambda: left < right,
                    ast.LtE: lambda: left <= right,
                    ast.Gt: lambda: left > right,
                    ast.GtE: lambda: left >= right,
                }[type(op)]()
            except TypeError:
                return Unknown("a comparison of different kinds")
            if not held:
                return False
            left = right
        return True

    def eval_IfExp(self, node, env):
        truth = self.truth(self.eval(node.test, env))
        if truth is None:
            return Unknown(f"depends on {ast.unparse(node.test)}")
        return self.eval(node.body if truth else node.orelse, env)

    def eval_Lambda(self, node, env):
        return LambdaRef(node, env)

    def eval_Subscript(self, node, env):
        value = self.eval(node.value, env)
        if isinstance(value, Unknown):
            return value
        if isinstance(node.slice, ast.Slice):
            bounds = [self.eval(part, env) if part is not None else None for part in (node.slice.lower, node.slice.upper, node.slice.step)]
            if isinstance(value, (list, tuple, str)) and all(b is None or isinstance(b, int) for b in bounds):
                return value[slice(*bounds)]
            return Unknown("a slice")
        if isinstance(value, (External, ClassRef)):
            return HintRef(node, env)
        key = self.eval(node.slice, env)
        try:
            return value[key]
        except Exception:
            return Unknown(f"no item {ast.unparse(node.slice)}")

    def comprehension(self, node, env, yields):
        made = []

        def run(generators, names):
            if not generators:
                made.append(yields(Env(env.module, names, env.owner, env.bound)))
                return True
            first, rest = generators[0], generators[1:]
            inner = Env(env.module, names, env.owner, env.bound)
            values = self.iterate(self.eval(first.iter, inner))
            if values is None:
                return False
            for value in values:
                inner_names = dict(names)
                self.bind(first.target, value, inner_names)
                inner = Env(env.module, inner_names, env.owner, env.bound)
                truths = [self.truth(self.eval(test, inner)) for test in first.ifs]
                if any(truth is None for truth in truths):
                    return False
                if all(truths) and run(rest, inner_names) is False:
                    return False
            return True

        return made if run(node.generators, env.names) is not False else None

    def eval_ListComp(self, node, env):
        made = self.comprehension(node, env, lambda inner: self.eval(node.elt, inner))
        return made if made is not None else Unknown("a list that depends on the machine or the run")

    eval_GeneratorExp = eval_ListComp

    def eval_SetComp(self, node, env):
        made = self.eval_ListComp(node, env)
        return made if isinstance(made, Unknown) else SetValue(dict.fromkeys(made))

    def eval_DictComp(self, node, env):
        made = self.comprehension(node, env, lambda inner: (self.eval(node.key, inner), self.eval(node.value, inner)))
        return dict(made) if made is not None else Unknown("a table that depends on the machine or the run")

    def iterate(self, value):
        if isinstance(value, dict):
            return list(value)
        if isinstance(value, (list, tuple)):
            return list(value)
        if isinstance(value, ClassRef) and self.is_enum(value):
            return self.members(value)
        return None

    def bind(self, target, value, names):
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts = list(value) if isinstance(value, (list, tuple)) and len(value) == len(target.elts) else [Unknown("unpacked")] * len(target.elts)
            for part, item in zip(target.elts, parts):
                self.bind(part, item, names)

    def eval_Call(self, node, env):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name == "super" and env.owner is not None:
            return SuperRef(env.owner, env.bound)
        function = self.eval(node.func, env)
        args = self.items(node.args, env)
        keywords = {}
        for keyword in node.keywords:
            value = self.eval(keyword.value, env)
            if keyword.arg is None:
                if isinstance(value, dict):
                    keywords.update(value)
                else:
                    keywords["**"] = value
            else:
                keywords[keyword.arg] = value
        result = self.call(function, args, keywords, node, env)
        if isinstance(result, Unknown) and any(hasattr(arg, "methods") for arg in [*args, *keywords.values()]):
            self.note("options", env.module, node, f"whatever `{ast.unparse(node)[:80]}` adds is not read: {result.why}")
        return result

    def call(self, function, args, keywords, node, env):
        if isinstance(function, tuple) and function and function[0] == "method":
            return self.call_method(function[1], function[2], args, keywords, node, env)
        name = getattr(function, "name", None)
        if isinstance(function, (FunctionRef, ClassRef)) and name in self.special:
            return self.special[name](function, args, keywords, node, env)
        if isinstance(function, FunctionRef):
            return self.run(function, args, keywords, env)
        if isinstance(function, LambdaRef):
            names = dict(function.env.names)
            for parameter, value in zip(function.node.args.args, args):
                names[parameter.arg] = value
            return self.eval(function.node.body, Env(function.env.module, names, function.env.owner))
        if isinstance(function, External):
            return self.call_external(function.name, args, keywords)
        if isinstance(function, Unknown):
            return function
        return Unknown(f"a call of {ast.unparse(node)[:60]}")

    def call_external(self, name, args, keywords):
        short = name.split(".")[-1]
        if short == "get_args" and args:
            return args_of(self, args[0])
        if short in ("list", "tuple", "set", "sorted", "frozenset"):
            values = self.iterate(args[0]) if args else []
            if values is None:
                return args[0] if isinstance(args[0], Unknown) else Unknown(f"{short} of something that is no list")
            if short in ("set", "frozenset"):
                return SetValue(dict.fromkeys(values))
            if short == "sorted":
                try:
                    return sorted(values)
                except TypeError:
                    return Unknown("sorted of different kinds")
            return tuple(values) if short == "tuple" else values
        if short == "dict":
            made = dict(args[0]) if args and isinstance(args[0], dict) else {}
            made.update(keywords)
            return made
        if short in ("int", "str", "float", "bool", "len", "min", "max", "abs") and args and not any(isinstance(a, (Unknown, External)) for a in args):
            value = args[0].value if isinstance(args[0], Member) else args[0]
            try:
                return {"int": int, "str": str, "float": float, "bool": bool, "len": len, "min": min, "max": max, "abs": abs}[short](value, *args[1:])
            except Exception as error:
                return Unknown(str(error))
        if short == "cast" and len(args) == 2:
            return args[1]
        if short == "deepcopy" and args:
            return copied(args[0])
        return Unknown(f"{name}(...) is not run")

    def call_method(self, value, name, args, keywords, node, env):
        if hasattr(value, "methods"):
            return value.methods(name, args, keywords, node, env)
        if name not in METHODS.get(type(value), ()) and not (isinstance(value, SetValue) and name == "add"):
            return Unknown(f".{name}() is not read")
        if isinstance(value, dict) and name in ("keys", "values", "items"):
            return list(getattr(value, name)())
        if name == "join":
            parts = self.iterate(args[0]) or []
            return value.join(str(part) for part in parts)
        try:
            return getattr(value, name)(*args, **keywords)
        except Exception as error:
            return Unknown(f".{name}(): {error}")

    # Statements

    def run(self, function, args, keywords, env):
        """What a plain function returns; None where it ends without saying."""
        parameters = [parameter.arg for parameter in function.node.args.args]
        defaults = function.node.args.defaults
        names = {}
        for parameter, value in zip(parameters[len(parameters) - len(defaults) :], defaults):
            names[parameter] = self.eval(value, Env(function.module))
        for parameter, value in zip([p.arg for p in function.node.args.kwonlyargs], function.node.args.kw_defaults):
            if value is not None:
                names[parameter] = self.eval(value, Env(function.module))
        decorators = [ast.unparse(decorator) for decorator in function.node.decorator_list]
        if function.owner is not None and "staticmethod" not in decorators:
            args = [function.bound, *args]
        names.update(zip(parameters, args))
        names.update(keywords)
        self.depth += 1
        try:
            if self.depth > MOST_DEPTH:
                return Unknown("calls too deep")
            self.execute(function.node.body, Env(function.module, names, function.owner, function.bound))
        except Returned as returned:
            return returned.value
        finally:
            self.depth -= 1
        return None

    def execute(self, body, env):
        for node in body:
            self.statement(node, env)

    def statement(self, node, env):
        if isinstance(node, ast.Return):
            raise Returned(self.eval(node.value, env) if node.value is not None else None)
        if isinstance(node, ast.Expr):
            self.eval(node.value, env)
        elif isinstance(node, ast.Assign):
            value = self.eval(node.value, env)
            for target in node.targets:
                self.assign(target, value, env)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, self.eval(node.value, env), env)
        elif isinstance(node, ast.AugAssign):
            load = ast.parse(ast.unparse(node.target), mode="eval").body
            self.assign(node.target, self.eval_BinOp(ast.copy_location(ast.BinOp(load, node.op, node.value), node), env), env)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Subscript):
                    holder, key = self.eval(target.value, env), self.eval(target.slice, env)
                    if isinstance(holder, dict):
                        holder.pop(key, None)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for bound, target in imported(node, env.module):
                env.names[bound] = self.resolve_import(target)
        elif isinstance(node, ast.If):
            truth = self.truth(self.eval(node.test, env))
            if truth is None and any(word in ast.unparse(node) for word in ("add_argument", "choices", "default")):
                self.note("a condition", env.module, node, f"`{ast.unparse(node.test)[:80]}` depends on the machine or the run: its branch is left out")
            self.execute(node.body if truth else node.orelse, env)
        elif isinstance(node, ast.For):
            for value in self.iterate(self.eval(node.iter, env)) or []:
                self.bind(node.target, value, env.names)
                self.execute(node.body, env)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self.execute(node.body, env)
        elif isinstance(node, ast.Try):
            self.execute(node.body, env)
            self.execute(node.finalbody, env)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            env.names[node.name] = FunctionRef(env.module, node)
        elif isinstance(node, ast.Raise):
            raise Returned(Unknown("it raises"))

    def assign(self, target, value, env):
        if isinstance(target, (ast.Name, ast.Tuple, ast.List)):
            self.bind(target, value, env.names)
        elif isinstance(target, ast.Subscript):
            holder, key = self.eval(target.value, env), self.eval(target.slice, env)
            if isinstance(holder, dict) and isinstance(key, (str, int)):
                holder[key] = value


class HintRef:
    """A type hint that is written out where a value was looked for: Literal["a", "b"] bound to a name."""

    def __init__(self, node, env):
        self.node, self.env = node, env


BUILTINS = {
    "bool", "int", "float", "str", "list", "dict", "tuple", "set", "frozenset", "type", "object", "bytes",
    "len", "sorted", "min", "max", "abs", "range", "enumerate", "zip", "map", "next", "iter", "any", "all", "getattr", "hasattr", "isinstance", "print",
}  # fmt: skip
PLAIN = (str, list, tuple, dict)
METHODS = {
    str: ("lower", "upper", "replace", "strip", "lstrip", "rstrip", "split", "join", "startswith", "endswith", "removeprefix", "removesuffix", "title"),
    list: ("append", "remove", "extend", "insert", "copy", "index"),
    SetValue: ("append", "remove", "extend", "copy", "add"),
    tuple: ("index",),
    dict: ("keys", "values", "items", "get", "pop", "update", "setdefault", "copy"),
}
# A plain start, as a user's shell gives it: no arguments yet, nothing imported before.
EXTERNAL_VALUES = {"sys.argv": [], "sys.modules": {}, "ssl.CERT_NONE": 0, "ssl.CERT_OPTIONAL": 1, "ssl.CERT_REQUIRED": 2}


def copied(value):
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return type(value)(copied(item) for item in value)
    return value


# Type hints. An atom is ("plain", name), ("literal", values), ("sequence", element atoms), ("record", class),
# ("enum", class), ("none",), ("json",), ("other", text) for what the command line takes as text, or ("unknown", why).


def atoms(sources, node, env):
    """The alternatives of a type hint and the extra arguments of Annotated, as written."""
    if isinstance(node, ast.Constant):
        if node.value is None:
            return [("none",)], []
        if isinstance(node.value, str):
            try:
                return atoms(sources, ast.parse(node.value.strip(), mode="eval").body, env)
            except SyntaxError:
                return [("other", node.value)], []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, extra = atoms(sources, node.left, env)
        right, more = atoms(sources, node.right, env)
        return left + [atom for atom in right if atom not in left], extra + more
    if isinstance(node, ast.Subscript):
        head = sources.eval(node.value, env)
        name = getattr(head, "name", "").split(".")[-1]
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name == "Annotated" or ast.unparse(node.value) == "A":
            inner, _ = atoms(sources, parts[0], env)
            return inner, [(part, env) for part in parts[1:]]
        if name in ("Optional", "Union"):
            found = [atom for part in parts for atom in atoms(sources, part, env)[0]]
            return found + ([("none",)] if name == "Optional" else []), []
        if name == "Literal":
            return [("literal", literal_values(sources, parts, env))], []
        if name in ("list", "List", "tuple", "Tuple", "set", "Set", "Sequence", "frozenset"):
            return [("sequence", atoms(sources, parts[0], env)[0])], []
        if name in ("dict", "Dict", "Mapping"):
            return [("json",)], []
        if name in ("type", "Type", "Callable"):
            return [("other", name)], []
        if isinstance(head, HintRef):
            return atoms(sources, head.node, head.env)
        return [("other", ast.unparse(node))], []
    if isinstance(node, (ast.Name, ast.Attribute)):
        value = sources.eval(node, env)
        if isinstance(value, HintRef):
            return atoms(sources, value.node, value.env)
        if isinstance(value, ClassRef):
            if sources.is_enum(value):
                return [("enum", value)], []
            if "dict" in sources.base_names(value) or "TypedDict" in sources.base_names(value):
                return [("json",)], []
            return [("record", value)], []
        if isinstance(value, External):
            short = value.name.split(".")[-1]
            if short in ("bool", "int", "float", "str"):
                return [("plain", short)], []
            if short in ("dict", "Dict", "Mapping"):
                return [("json",)], []
            if short in ("list", "List", "tuple", "set"):
                return [("sequence", [("plain", "str")])], []
            return [("other", short)], []
        if value is None:
            return [("none",)], []
        if isinstance(value, Unknown):
            # `Name = A | B` at the top of a module: the union is an expression without a value.
            if isinstance(node, ast.Name):
                found = where_bound(sources, env.module, node.id)
                if found is not None:
                    return atoms(sources, found[1], Env(found[0]))
            return [("unknown", f"{ast.unparse(node)}: {value.why}")], []
    return [("other", ast.unparse(node))], []


def where_bound(sources, module, name):
    binding = module.bindings.get(name)
    if binding is None:
        for base in module.stars:
            other = sources.module(base)
            found = where_bound(sources, other, name) if other is not None and other is not module else None
            if found is not None:
                return found
        return None
    if binding[0] == "value":
        return (module, binding[1]) if isinstance(binding[1], (ast.BinOp, ast.Subscript, ast.Name, ast.Attribute)) else None
    if binding[0] == "import" and binding[1][0] == "from":
        other = sources.module(binding[1][1])
        return where_bound(sources, other, binding[1][2]) if other is not None else None
    return None


def literal_values(sources, parts, env):
    values = []
    for part in parts:
        if isinstance(part, ast.Constant):
            values.append(part.value)
            continue
        inner, _ = atoms(sources, part, env)
        nested = [value for kind, *rest in inner if kind == "literal" for value in rest[0]]
        values.extend(nested if nested else [sources.eval(part, env)])
    return list(dict.fromkeys(values))


def args_of(sources, value):
    if isinstance(value, HintRef):
        found, _ = atoms(sources, value.node, value.env)
        literal = [atom for atom in found if atom[0] == "literal"]
        if literal:
            return tuple(item for atom in literal for item in atom[1])
    return Unknown("get_args of something that is no Literal")
