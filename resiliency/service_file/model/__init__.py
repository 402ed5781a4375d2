"""The service file as types: the settings that a team gives for its service.

Every name carries its unit, and every default is written here alone. Each value is checked by
``staged_resiliency.shared.validation`` and its neighbours; rules that compare several values are in
``rules``.
"""
