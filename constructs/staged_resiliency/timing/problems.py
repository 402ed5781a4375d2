"""What can be wrong with what the model is asked; each kind says it in one line."""


class TimingError(ValueError):
    """The failover time can't be told or shown; the message says where and why."""
