"""The AWS APIs of a rehearsal: moto's server on loopback, called through botocore.

Only plain APIs are used (metrics, topics, queues). Where moto differs from AWS, this works around
it: dimensions are sorted by name, and each rehearsal has a separate server, since GetMetricData
ignores the namespace of a metric with dimensions.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any, Final

import botocore.config
import botocore.session

from resiliency.failover_model.alarm_evaluation import AlarmState
from resiliency.failover_model.graph import Alarm, Metric

LISTENS: Final = r"Running on http://127\.0\.0\.1:(\d+)"
"""The line in which moto's server prints its port."""

_MOST_MESSAGES: Final = 10


class MotoClient:
    """Metrics, topics, and the queue that receives the messages of topics.

    Its methods block; call them in threads of ``pool``.
    """

    def __init__(self, port: int, region: str, topics: Sequence[str]) -> None:
        self.pool: Final = ThreadPoolExecutor(4, "aws")
        self._session = botocore.session.Session()
        self._session.set_credentials("rehearsal", "rehearsal")
        self._options: Mapping[str, Any] = {
            "region_name": region,
            "endpoint_url": f"http://127.0.0.1:{port}",
            "config": botocore.config.Config(
                connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3}
            ),
        }
        self._cloudwatch: Any = self._client("cloudwatch")
        self._sns: Any = self._client("sns")
        self._sqs: Any = self._client("sqs")
        self._queue = self._sqs.create_queue(QueueName="rehearsal")["QueueUrl"]
        queue_arn = self._sqs.get_queue_attributes(
            QueueUrl=self._queue, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        self._topics: dict[str, str] = {}
        for name in topics:
            arn = self._sns.create_topic(Name=name)["TopicArn"]
            self._sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
            self._topics[name] = arn

    def close(self) -> None:
        """Close threads and connections."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        for client in (self._cloudwatch, self._sns, self._sqs):
            client.close()

    def _client(self, service: str) -> Any:
        return self._session.create_client(service, **self._options)

    def put(self, metrics: Sequence[Metric], minutes: Sequence[float], value: float) -> None:
        """Publish a value of metrics of one namespace in some minutes."""
        self._cloudwatch.put_metric_data(
            Namespace=metrics[0].namespace,
            MetricData=[
                {
                    "MetricName": metric.name,
                    "Dimensions": _metric(metric)["Dimensions"],
                    "Timestamp": datetime.fromtimestamp(minute, timezone.utc),
                    "Value": value,
                }
                for minute in minutes
                for metric in metrics
            ],
        )

    def statistics(
        self, alarms: Sequence[Alarm], end: float, periods: Mapping[str, int]
    ) -> Mapping[str, Sequence[float | None]]:
        """Read the statistic of each alarm's last periods, oldest first.

        The last one ends at ``end``, in seconds since the epoch.
        """
        statistics: dict[str, Sequence[float | None]] = {}
        for seconds in dict.fromkeys(alarm.period_seconds for alarm in alarms):
            alike = [alarm for alarm in alarms if alarm.period_seconds == seconds]
            most = max(periods[alarm.name] for alarm in alike)
            start = end - most * seconds
            results = self._cloudwatch.get_metric_data(
                MetricDataQueries=[_query(number, alarm) for number, alarm in enumerate(alike)],
                StartTime=datetime.fromtimestamp(start, timezone.utc),
                EndTime=datetime.fromtimestamp(end, timezone.utc),
                ScanBy="TimestampAscending",
            )["MetricDataResults"]
            by_id = {result["Id"]: result for result in results}
            for number, alarm in enumerate(alike):
                result = by_id[f"m{number}"]
                values = dict(
                    zip(
                        (each.timestamp() for each in result["Timestamps"]),
                        result["Values"],
                        strict=True,
                    )
                )
                statistics[alarm.name] = [
                    values.get(start + number * seconds)
                    for number in range(most - periods[alarm.name], most)
                ]
        return statistics

    def notify(
        self, topics: Sequence[str], alarm: str, former: AlarmState, now: AlarmState, at: float
    ) -> None:
        """Publish a state change to topics, in CloudWatch's format."""
        moment = datetime.fromtimestamp(at, timezone.utc)
        message = {
            "AlarmName": alarm,
            "NewStateValue": now.value,
            "OldStateValue": former.value,
            "StateChangeTime": moment.isoformat(timespec="milliseconds"),
        }
        for name in topics:
            self._sns.publish(
                TopicArn=self._topics[name],
                Subject=f'{now.value}: "{alarm}"'[:100],
                Message=json.dumps(message),
            )

    def received(self) -> Sequence[Mapping[str, str]]:
        """Return the messages that arrived since the last call."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=_MOST_MESSAGES, WaitTimeSeconds=0
        )
        messages = []
        for message in answer.get("Messages", ()):
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            messages.append(json.loads(json.loads(message["Body"])["Message"]))
        return messages


def _query(number: int, alarm: Alarm) -> Mapping[str, Any]:
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": _metric(alarm.metric),
            "Period": alarm.period_seconds,
            "Stat": alarm.statistic,
        },
    }


def _metric(metric: Metric) -> Mapping[str, Any]:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(metric.dimensions)],
    }
