"""Objects in the journal's bucket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from staged_resiliency.drills.runtime.context import Aws, AwsError
from staged_resiliency.drills.runtime.plan import Journal

_TAKEN: Final = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


@dataclass(frozen=True, slots=True)
class Listed:
    """A key, and when its object was written, in seconds since the epoch."""

    key: str
    written_at: float


@dataclass(frozen=True, slots=True)
class Store:
    """The part of a bucket that is a service's own; keys are those below its prefix."""

    aws: Aws
    journal: Journal

    def put(self, key: str, text: str) -> None:
        """Write an object, over one that is there."""
        self._put(key, text)

    def put_new(self, key: str, text: str) -> bool:
        """Write an object unless there is one; whether it was written."""
        return self._written(key, text, IfNoneMatch="*")

    def swap(self, key: str, text: str, etag: str) -> bool:
        """Write an object over the one with an entity tag; whether it was still that one."""
        return self._written(key, text, IfMatch=etag)

    def get(self, key: str) -> str:
        """The text of an object."""
        return self.get_tagged(key)[0]

    def get_tagged(self, key: str) -> tuple[str, str]:
        """The text of an object, and its entity tag."""
        answer = self.aws("s3", "GetObject", Bucket=self.journal.bucket, Key=self._full(key))
        return answer["Body"].read().decode(), str(answer["ETag"])

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys that begin so."""
        return [each.key for each in self.listed(prefix)]

    def listed(self, prefix: str) -> Sequence[Listed]:
        """Keys that begin so, with the time of their writing."""
        found: list[Listed] = []
        more: dict[str, str] = {}
        while True:
            answer = self.aws(
                "s3",
                "ListObjectsV2",
                Bucket=self.journal.bucket,
                Prefix=self._full(prefix),
                **more,
            )
            for each in answer.get("Contents", ()):
                key = str(each["Key"])[len(self.journal.prefix) :]
                found.append(Listed(key, each["LastModified"].timestamp()))
            if not answer.get("IsTruncated"):
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _full(self, key: str) -> str:
        return f"{self.journal.prefix}{key}"

    def _put(self, key: str, text: str, **condition: str) -> None:
        self.aws(
            "s3",
            "PutObject",
            Bucket=self.journal.bucket,
            Key=self._full(key),
            Body=text.encode(),
            ContentType="application/json",
            **condition,
        )

    def _written(self, key: str, text: str, **condition: str) -> bool:
        try:
            self._put(key, text, **condition)
        except AwsError as error:
            if error.code in _TAKEN:
                return False
            raise
        return True
