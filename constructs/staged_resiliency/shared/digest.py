"""Short digests that become part of logical ids."""

import json
from hashlib import sha256

from staged_resiliency.shared.literals import is_literal


def digest(*parts: object) -> str:
    """Eight upper-case hexadecimal digits over JSON values.

    Part of the interface: another digest for the same parts would replace deployed resources.
    """
    return sha256(json.dumps(parts).encode()).hexdigest()[:8].upper()


def known(value: str | float | None) -> str | float | None:
    """The value as a digest takes it; one that only the deployment knows counts as any other."""
    if value is None or isinstance(value, str):
        return value if value is None or is_literal(value) else "known at deployment"
    # One form for 1 and 1.0, and (by adding zero) for 0.0 and -0.0: they render alike.
    return float(value) + 0.0 if is_literal(value) else "known at deployment"
