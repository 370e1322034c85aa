"""All rules, one file per family."""

from gateway.lint.rule import Rule
from gateway.lint.rules import (
    admin,
    clusters,
    connections,
    filters,
    memory,
    privacy,
    routes,
    schema,
    tls,
)

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            rule
            for family in (
                admin,
                clusters,
                connections,
                filters,
                memory,
                privacy,
                routes,
                schema,
                tls,
            )
            for rule in family.RULES
        ),
        key=lambda rule: rule.id,
    )
)

__all__ = ["RULES"]
