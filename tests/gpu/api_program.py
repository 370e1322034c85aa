"""Print what TensorRT's real Python module offers: `api_program.py LIBRARIES BINDINGS GENERATION`.

The module needs three shared libraries; those of `tensorrt_entries.c` let it load, no more. It runs
in a process of its own, since one process can hold one generation only.
"""

import ctypes
import importlib
import json
import sys
from pathlib import Path

LIBRARIES = ("libnvinfer", "libnvinfer_plugin", "libnvonnxparser")
MODULE = "tensorrt_bindings"


def main() -> None:
    """Load the module and print name -> docstring, nested names with dots."""
    folder, bindings, generation = sys.argv[1:]
    for library in LIBRARIES:
        ctypes.CDLL(str(Path(folder) / f"{library}.so.{generation}"), mode=ctypes.RTLD_GLOBAL)
    sys.path.insert(0, bindings)
    module = importlib.import_module(MODULE)
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
