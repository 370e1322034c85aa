"""The demonstration from its first call to its last: whatever features run, one after the other."""

from collections.abc import Callable, Iterator, Sequence

from batchpix_client.client import Client
from batchpix_client.demo.dance import plan_dance, plan_driven
from batchpix_client.demo.plan import Plan, Samples, Shown, run_plan
from batchpix_client.demo.stylize import plan_stylize
from batchpix_client.demo.tryon import plan_tryon
from batchpix_client.demo.video import plan_video

Advance = Callable[[str], None]


class Programme:
    """The calls of a demonstration."""

    def __init__(
        self,
        client: Client,
        samples: Samples,
        features: Sequence[str],
        trusted_keys: Sequence[str],
    ) -> None:
        """Plan the calls; asks the mesh for the names of its styles and moves.

        Args:
            client: connected to the gateway.
            samples: what to send.
            features: those that run.
            trusted_keys: public keys (PEM) that each receipt must be signed with one of.

        Raises:
            BatchpixError: the mesh did not answer.
        """
        self._client = client
        self._samples = samples
        self._keys = trusted_keys
        self._plans = {feature: self._plan(feature) for feature in features}

    @property
    def count(self) -> int:
        """Results that there will be."""
        planned = sum(len(plan.photos) for plans in self._plans.values() for plan in plans)
        return planned + bool(self._plans.get("dance"))

    def run(self, advance: Advance) -> Iterator[Shown]:
        """Make all calls and yield their results, feature by feature.

        Raises:
            BatchpixError: a call failed, or its receipt does not hold.
        """
        for feature, plans in self._plans.items():
            shown = [each for plan in plans for each in self._run(plan, advance)]
            yield from shown
            if feature == "dance" and shown:
                # One dance leads another.
                yield from self._run(plan_driven(self._samples, shown[0].data), advance)

    def _run(self, plan: Plan, advance: Advance) -> list[Shown]:
        return run_plan(self._client, plan, self._keys, advance)

    def _plan(self, feature: str) -> list[Plan]:
        match feature:
            case "stylize":
                styles = sorted(
                    self._client.styles(), key=lambda style: (not style.painter, style.name)
                )
                return plan_stylize(self._samples, [style.name for style in styles])
            case "video":
                return plan_video(self._samples)
            case "dance":
                return plan_dance(self._samples, [move.name for move in self._client.moves()])
            case _:
                return plan_tryon(self._samples)
