"""Whole runs of drills: the state machine is run, with its functions called for real."""

from tests.drills import plans
from tests.drills.account import account


def test_a_shutdown_that_fails_over_and_back_passes() -> None:
    with account() as made:
        status = made.finish(made.start(made.machine(plans.SHUTDOWN)))
        print(made.phases)
        import json
        print(json.dumps(made.journal(), indent=1))
        for each in made.log[-5:]: print(each)
        print(made.messages(), made.metrics())
        assert status == "SUCCEEDED"
        assert 0
