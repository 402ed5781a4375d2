"""A Command document, and the association by which Systems Manager runs it on instances."""

from collections.abc import Mapping, Sequence

from aws_cdk import IResolvable
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from staged_resiliency.probe.instances import Instances


def associated_document(
    scope: Construct,
    content: Mapping[str, object] | IResolvable,
    instances: Instances,
    *,
    name: str | None,
    parameters: Mapping[str, Sequence[str]],
    schedule_expression: str,
    max_concurrency: str = "1",
    max_errors: str = "0",
    output: ssm.CfnAssociation.S3OutputLocationProperty | None = None,
) -> tuple[ssm.CfnDocument, ssm.CfnAssociation]:
    """Make a document and its association, which runs it now, on a schedule and on new instances.

    ``name`` is that of the association. The other arguments are those of the constructs.
    """
    document = ssm.CfnDocument(
        scope,
        "Document",
        content=content,
        document_type="Command",
        document_format="JSON",
        # So that the association follows the new document's name, instead of a default version
        # that would have to be set.
        update_method="Replace",
    )
    where = ssm.CfnAssociation.InstanceAssociationOutputLocationProperty(s3_location=output)
    association = ssm.CfnAssociation(
        scope,
        "Association",
        name=document.ref,
        association_name=name,
        document_version="1",
        targets=[
            ssm.CfnAssociation.TargetProperty(
                key=instances.target_key, values=list(instances.target_values)
            )
        ],
        parameters=parameters,
        schedule_expression=schedule_expression,
        max_concurrency=max_concurrency,
        max_errors=max_errors,
        compliance_severity="HIGH",
        sync_compliance="AUTO",
        output_location=where if output is not None else None,
    )
    association.add_metadata(
        "Description",
        "Runs the document on the instances, one after the other, and again every day.",
    )
    return document, association
