"""What a source file uses of a typeless module, and whether the real module has it.

The file must annotate every variable of the module's classes (`context: trt.IExecutionContext`).
From these annotations each attribute gets its class, so nothing has to be listed by hand.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SELF = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One name of the module that the file uses.

    Attributes:
        name: for example "ICudaEngine.get_tensor_shape".
        line: where.
        positional: arguments by place if it is called, else None.
        keywords: names of the arguments by name.
        extra: parameters that come from Python itself, as `self` in `Class.method(self)`.
    """

    name: str
    line: int
    positional: int | None = None
    keywords: tuple[str, ...] = ()
    extra: int = 0


class Reader(ast.NodeVisitor):
    """Collects the uses of a module under its alias."""

    def __init__(self, alias: str) -> None:
        self.uses: list[Use] = []
        self.unannotated: list[str] = []
        self._alias = alias
        self._kinds: dict[str, str] = {}
        self._plain: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Read a function with the kinds of its own variables."""
        outside, plain = dict(self._kinds), set(self._plain)
        for argument in (*node.args.args, *node.args.kwonlyargs):
            self._learn(argument.arg, argument.annotation)
        self.generic_visit(node)
        # What methods store in `self` is known to the methods after them.
        kept = {name: kind for name, kind in self._kinds.items() if name.startswith(f"{SELF}.")}
        self._kinds, self._plain = outside | kept, plain

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Read a class; what it overrides of the module's must be there to be overridden."""
        for base in node.bases:
            if name := self._path(base):
                methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
                self.uses += [Use(name=f"{name}.{each.name}", line=each.lineno) for each in methods]
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Learn a variable's class."""
        self.generic_visit(node)
        self._learn(ast.unparse(node.target), node.annotation)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Note variables that hold something of the module without saying what."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Call) and self._path(node.value.func):
            self._plain.update(ast.unparse(target) for target in node.targets)

    def visit_Call(self, node: ast.Call) -> None:
        """Note a call with its arguments."""
        if name := self._path(node.func):
            self.uses.append(
                Use(
                    name=name,
                    line=node.lineno,
                    positional=len(node.args),
                    keywords=tuple(each.arg or "**" for each in node.keywords),
                    extra=int(name.endswith(".__init__")),
                )
            )
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note an attribute of the module or of one of its objects."""
        base = ast.unparse(node.value)
        if base in self._plain and base not in self._kinds:
            self.unannotated.append(f"line {node.lineno}: {base}")
        if name := self._path(node):
            self.uses.append(Use(name=name, line=node.lineno))
        self.generic_visit(node)

    def _learn(self, variable: str, annotation: ast.expr | None) -> None:
        if annotation is None:
            return
        for part in ast.walk(annotation):
            if isinstance(part, ast.Attribute) and (name := self._path(part)):
                self._kinds[variable] = name
                return

    def _path(self, node: ast.expr) -> str:
        """Name what an expression stands for in the module, empty if it is not of it."""
        if not isinstance(node, ast.Attribute):
            return ""
        base = ast.unparse(node.value)
        if base == self._alias:
            return node.attr
        if base in self._kinds:
            return f"{self._kinds[base]}.{node.attr}"
        inner = self._path(node.value)
        return f"{inner}.{node.attr}" if inner else ""


def faults(source: str, alias: str, offered: Mapping[str, str]) -> list[str]:
    """List what a file uses that the module does not have, or not with these arguments."""
    reader = Reader(alias)
    reader.visit(ast.parse(source))
    found = [f"{each} has no annotation" for each in reader.unannotated]
    for use in reader.uses:
        if use.name not in offered:
            found.append(f"line {use.line}: no {use.name}")
        elif use.positional is not None and not accepts(use, signatures(use.name, offered)):
            found.append(f"line {use.line}: {use.name} takes other arguments")
    return found


def accepts(use: Use, overloads: list[list[str]]) -> bool:
    """Tell whether one of the overloads takes a call; what has no signature takes any."""
    return not overloads or any(fits(use, parameters) for parameters in overloads)


def fits(use: Use, parameters: list[str]) -> bool:
    """Tell whether a call has all arguments that have no default, and no others."""
    assert use.positional is not None
    given = parameters[: use.positional - use.extra]
    rest = parameters[use.positional - use.extra :]
    named = {parameter.split(":")[0].split("=")[0].strip() for parameter in rest}
    needed = {parameter.split(":")[0].strip() for parameter in rest if "=" not in parameter}
    is_short_enough = len(given) == use.positional - use.extra
    return is_short_enough and needed <= set(use.keywords) <= named


def signatures(name: str, offered: Mapping[str, str]) -> list[list[str]]:
    """Read the overloads of a callable from its docstring: parameters without `self`."""
    documented = offered.get(f"{name}.__init__") or offered[name]
    own = "__init__" if f"{name}.__init__" in offered else name.rpartition(".")[2]
    # Functions that answer with tuples are documented without an answer.
    for end in (" -> ", "$"):
        pattern = re.compile(rf"^(?:\d+\. )?{re.escape(own)}\((.*)\){end}", re.MULTILINE)
        overloads = [list(split(match[1])) for match in pattern.finditer(documented)]
        if overloads:
            break
    return [
        [each for each in parameters if not re.match(r"self\b", each)] for parameters in overloads
    ]


def split(parameters: str) -> Iterator[str]:
    """Split at the commas outside of brackets."""
    depth, start = 0, 0
    for index, character in enumerate(parameters):
        depth += (character in "[(<{") - (character in "])>}")
        if character == "," and depth == 0:
            yield parameters[start:index].strip()
            start = index + 1
    if parameters[start:].strip():
        yield parameters[start:].strip()
