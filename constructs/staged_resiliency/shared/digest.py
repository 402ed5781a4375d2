"""Short digests for logical ids: a new digest makes CloudFormation replace the resource."""

import json
from hashlib import sha256

from staged_resiliency.shared.literals import is_literal


def digest(*parts: object) -> str:
    """Hash JSON values to eight upper-case hexadecimal digits.

    The algorithm must not change: another digest would replace deployed resources.
    """
    return sha256(json.dumps(parts).encode()).hexdigest()[:8].upper()


def stable(value: str | float | None) -> str | float | None:
    """Make a value equal at each synthesis: keep literals, replace CDK tokens by a constant."""
    if value is None or isinstance(value, str):
        return value if value is None or is_literal(value) else "known at deployment"
    # One form for 1 and 1.0, and (by adding zero) for 0.0 and -0.0: they render alike.
    return float(value) + 0.0 if is_literal(value) else "known at deployment"
