"""Print what a real Python module offers: `api_program.py FOLDER MODULE LIBRARY...`.

TensorRT's module needs three shared libraries; those of `tensorrt_entries.c` let it load, no more.
It runs in a process of its own, since one process can hold one generation only.
"""

import ctypes
import importlib
import json
import sys


def main() -> None:
    """Load the module and print name -> docstring, nested names with dots."""
    folder, module_name, *libraries = sys.argv[1:]
    for library in libraries:
        ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    sys.path.insert(0, folder)
    module = importlib.import_module(module_name)
    offered: dict[str, str] = {}
    for name in dir(module):
        value = getattr(module, name)
        offered[name] = text(value)
        if isinstance(value, type):
            offered.update({f"{name}.{inner}": text(getattr(value, inner)) for inner in dir(value)})
    sys.stdout.write(json.dumps(offered))


def text(value: object) -> str:
    """Return the docstring; the bindings write their signatures there."""
    doc = getattr(value, "__doc__", None)
    return doc if isinstance(doc, str) else ""


if __name__ == "__main__":
    main()
