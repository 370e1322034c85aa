"""How far float16 lies from float32, without a GPU: `python -m bench.halves`.

Each network of ours is rewritten as `build-engines` rewrites it for a GPU and run node by node as
the ONNX standard says, every value rounded to float16 where the device would. What a device's own
order of adding does beside that, only the device can tell; `build-engines` measures it there.
Nothing here is fast: a minute or two for a network, and small pictures where the sides are free.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from gateway.settings import SERVICES
from services.chassis.engine import Engine
from services.chassis.engine.accuracy import mean_error
from services.chassis.engine.choice import CpuRoom
from services.chassis.engine.half import to_half
from services.chassis.engine.networks import Network
from services.chassis.settings import Settings
from services.chassis.store import ModelStore

SIDES = (96, 128)


class RoundedEngine:
    """An `Engine` of a rewritten network; it takes and gives what the CPU's does."""

    def __init__(self, model: bytes, network: Network, twin: Engine) -> None:
        self.inputs, self.outputs = twin.inputs, twin.outputs
        self.description = "rounded"
        self._network = network
        self._evaluator = ReferenceEvaluator(onnx.load_from_string(to_half(model)))

    def run(self, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]]) -> None:
        """See `Engine`."""
        given = {
            name: tensor_of(array) if name in self._network.picture_inputs else array
            for name, array in inputs.items()
        }
        names = list(outputs)
        for name, answer in zip(names, self._evaluator.run(names, given), strict=True):
            tensor = np.asarray(answer)
            if name in self._network.picture_outputs:
                tensor = np.rint(np.clip(np.moveaxis(tensor, 1, 3) * 255, 0, 255))
            outputs[name][...] = tensor


def main() -> None:
    """Print the mean error of each network beside its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.halves", description=main.__doc__)
    parser.add_argument("networks", nargs="*", help="names; default all of ours")
    options = parser.parse_args()
    settings = Settings()
    store = ModelStore(settings.models)
    found = {
        network.name: network
        for feature in SERVICES
        for network in import_module(f"services.{feature}.networks").NETWORKS
        if not network.exact
    }
    for name in options.networks or found:
        network = found[name]
        if network.sides:
            network = replace(network, sides=replace(network.sides, usual=SIDES))
        exact = CpuRoom(store, settings.threads).load(replace(network, exact=True))
        rounded = RoundedEngine(store.open(name), network, exact)
        error = mean_error(rounded, exact, network)
        print(f"{name:16} {error:.5f} of at most {network.mean_error_max}", flush=True)


def tensor_of(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Give a picture as the network's own tensor."""
    return np.ascontiguousarray(np.moveaxis(picture, 3, 1) / np.float32(255), np.float32)


if __name__ == "__main__":
    main()
