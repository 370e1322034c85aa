"""What a training keeps: the running average of the weights, and files that are whole or absent."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor, nn

Weights: TypeAlias = dict[str, Tensor]
NetworkT = TypeVar("NetworkT", bound=nn.Module)


def copied(network: nn.Module) -> Weights:
    """Copy the weights, for a running average to start with."""
    return {name: value.clone() for name, value in network.state_dict().items()}


@torch.no_grad()
def follow(average: Weights, network: nn.Module, step: int, kept_most: float) -> None:
    """Move a running average towards the weights, in place, faster at the start.

    Args:
        average: from `copied`.
        step: steps that were taken.
        kept_most: share of the average that a late step keeps, 0..1.
    """
    kept = min(kept_most, (1 + step) / (10 + step))
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - kept)
        else:
            average[name].copy_(value)


def write_whole(state: Mapping[str, object], path: Path) -> None:
    """Write a checkpoint in one move, so that a training that is cut off leaves the last one."""
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    fresh.replace(path)


def load_average(network: NetworkT, path: Path) -> NetworkT:
    """Fill a network with the averaged weights of a checkpoint, ready to be used."""
    network.load_state_dict(torch.load(path, weights_only=True)["average"])
    return network.eval()
