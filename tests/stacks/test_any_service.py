"""Whatever service file is sound can be synthesized, and AWS's APIs would take the result."""

import pytest
from hypothesis import given

from tests.properties import fewer_examples
from tests.resiliency.service_file.test_any_valid_service import SERVICES
from tests.staged_resiliency.api_model import problems_of
from tests.staged_resiliency.test_api_models import KINDS, deployed
from tests.support import Data, resources_of, service_of, synthesize


@pytest.mark.slow
@fewer_examples(6)
@given(SERVICES)
def test_a_sound_service_file_makes_templates_that_the_apis_take(data: Data) -> None:
    problems = [
        f"{stack} {logical_id}: {problem}"
        for stack, template in synthesize([service_of(data)]).items()
        for resource_type, (service, operation, request_of) in KINDS.items()
        for logical_id, resource in resources_of(template, resource_type).items()
        for problem in problems_of(
            service, operation, request_of(deployed(resource["Properties"], template))
        )
    ]
    assert problems == []
