"""What set-up put in place: each package has its own files."""

from importlib.metadata import distribution

import pytest


@pytest.mark.parametrize("module", ["cloud_assembly_schema", "cx_api", "assertions"])
def test_modules_of_the_cdk_are_its_own(module: str) -> None:
    """aws-cdk.cloud-assembly-schema has files in the same place, whose types have other names.

    Installed after aws-cdk-lib it takes its place, and jsii doesn't know what the CDK answers with.
    """
    path = f"aws_cdk/{module}/__init__.py"
    (file,) = (each for each in distribution("aws-cdk-lib").files or () if str(each) == path)
    assert f'jsii_type="aws-cdk-lib.{module}.' in file.read_text()
