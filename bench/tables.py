"""Tables in Markdown."""

from collections.abc import Iterator, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> Iterator[str]:
    """Write a table; so many columns of texts to the left, numbers to the right."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join([*['---'] * texts, *['---:'] * (len(head) - texts)])}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def verdict(name: str, value: float, goal: float, *, at_least: bool = True) -> str:
    """Tell a figure beside its goal, and whether it is met."""
    met = value >= goal if at_least else value <= goal
    sign = "≥" if at_least else "≤"
    return f"- {name}: **{value:.2f}** (goal {sign} {goal:g}: {'met' if met else 'missed'})"
