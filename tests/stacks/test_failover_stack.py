from tests.support import Template, only


def test_the_record_group_holds_a_pair(failover_template: Template) -> None:
    assert len(only(failover_template, "AWS::Route53::RecordSetGroup")["RecordSets"]) == 2
