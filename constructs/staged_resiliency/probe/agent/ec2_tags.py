"""Asks EC2 for an instance's Name tag, in a separate process that ``identity`` starts.

Reads a JSON object from standard input (credentials, region, instance id), and writes the name.
"""

import json
import sys


def main() -> int:
    """Write the Name tag as JSON; return the exit status."""
    given = json.load(sys.stdin)
    import botocore.exceptions
    import botocore.session

    client = botocore.session.Session().create_client(
        "ec2",
        region_name=given["region"],
        endpoint_url=given.get("endpoint_url"),
        aws_access_key_id=given["access_key"],
        aws_secret_access_key=given["secret_key"],
        aws_session_token=given["token"],
    )
    filters = [
        {"Name": "resource-id", "Values": [given["instance_id"]]},
        {"Name": "key", "Values": ["Name"]},
    ]
    try:
        tags = client.describe_tags(Filters=filters)["Tags"]
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not tags:
        sys.stderr.write(f"{given['instance_id']} has no Name tag\n")
        return 1
    json.dump(tags[0]["Value"], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
