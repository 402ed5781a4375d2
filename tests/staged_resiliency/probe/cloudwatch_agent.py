"""A stand-in for the CloudWatch agent, written from its sources: how it merges configurations, and
which metrics it publishes.

https://github.com/aws/amazon-cloudwatch-agent: translator/jsonconfig/mergeJsonUtil,
plugins/processors/ec2tagger, plugins/outputs/cloudwatch (ProcessRollup, IsDropping) and
packaging/dependencies/amazon-cloudwatch-agent-ctl. As a program it is the latter, for the
directory that it is in: no more of its options than documents use.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

DEFAULT: Json = {
    "metrics": {
        "append_dimensions": {"InstanceId": "${aws:InstanceId}", "ImageId": "${aws:ImageId}"},
        "metrics_collected": {"mem": {"measurement": ["mem_used_percent"]}},
    }
}
"""What an agent that is started without a configuration takes."""


class ConflictError(Exception):
    """Two configurations that can't be merged."""


def merged(configurations: list[Json]) -> Json:
    """Merge configurations: lists of processes are joined, all else must be equal."""
    result: Json = {}
    for each in configurations:
        _merge(each, result, "/", ("metrics", "metrics_collected"))
    return result


def _merge(source: Json, result: Json, path: str, sections: tuple[str, ...]) -> None:
    for key, value in source.items():
        if key == "procstat":
            known = result.setdefault(key, [])
            known += [each for each in value if each not in known]
        elif (sections and key == sections[0]) or key in ("agent", "logs"):
            _merge(value, result.setdefault(key, {}), f"{path}{key}/", sections[1:])
        elif result.setdefault(key, value) != value:
            raise ConflictError(
                f"Under path : {path}{key} | Error : Different values are specified for {key}"
            )


Metric: TypeAlias = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions."""


def published(configuration: Json, instance_id: str, host: str = "ip-10-0-0-4") -> set[Metric]:
    """Return the metrics that the agent publishes on an instance with ext4 file systems."""
    metrics = configuration["metrics"]
    added = {
        name: {"InstanceId": instance_id, "ImageId": "ami-1"}[name]
        for name in metrics.get("append_dimensions", {})
    }
    found = set()
    for plugin, name, tags in _measured(metrics["metrics_collected"]):
        dimensions = {**tags, **(added or {"host": host})}
        rolled_up = [
            {key: dimensions[key] for key in keys}
            for keys in metrics.get("aggregation_dimensions", [])
            if len(keys) < len(dimensions) and set(keys) <= set(dimensions)
        ]
        dropped = metrics["metrics_collected"][plugin]
        if not isinstance(dropped, list) and name in dropped.get("drop_original_metrics", []):
            kept = rolled_up
        else:
            kept = [dimensions, *rolled_up]
        namespace = metrics.get("namespace", "CWAgent")
        found |= {(namespace, name, frozenset(each.items())) for each in kept}
    return found


def _measured(collected: Json) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield plugin, metric and tags of each value, as the plugins give them."""
    for plugin, settings in collected.items():
        for each in settings if plugin == "procstat" else [settings]:
            for measurement in each["measurement"]:
                name = measurement.removeprefix(f"{plugin}_")
                if plugin == "procstat":
                    (key,) = {"exe", "pattern", "pid_file"} & set(each)
                    tags = {key: each[key], "pid_finder": each.get("pid_finder", "native")}
                    yield plugin, f"procstat_lookup_{name}", tags
                elif plugin == "disk":
                    for path in each["resources"]:
                        tags = {"path": path, "device": "nvme0n1p1", "fstype": "ext4"}
                        yield plugin, f"disk_{name}", tags
                else:
                    yield plugin, f"{plugin}_{name}", {}


def main(home: Path, arguments: list[str]) -> None:
    """Do what ``amazon-cloudwatch-agent-ctl`` does for ``-a ACTION -m ec2 [-c ssm:NAME] [-s]``."""
    action, name = arguments[1], arguments[5].removeprefix("ssm:") if len(arguments) > 5 else ""
    folder, running, taken = home / "etc/amazon-cloudwatch-agent.d", home / "running", home / "toml"
    with (home / "calls").open("a") as calls:
        calls.write(" ".join(arguments) + "\n")
    new = folder / f"ssm_{name}.tmp"
    if action == "append-config":
        new.write_bytes((home / "store" / name).read_bytes())
    elif action == "remove-config":
        new.with_suffix("").unlink()
    files = {each.name.removesuffix(".tmp"): each for each in sorted(folder.iterdir())}
    if action.endswith("-config"):
        if files:
            taken.write_text(
                json.dumps(merged([json.loads(f.read_text()) for f in files.values()]))
            )
        else:
            taken.unlink()
    if action == "append-config":
        new.rename(new.with_suffix(""))
    if action == "stop":
        running.unlink(missing_ok=True)
    if action == "start" or "-s" in arguments:
        if not taken.exists():
            taken.write_text(json.dumps(DEFAULT))
        running.write_bytes(taken.read_bytes())


if __name__ == "__main__":
    try:
        main(Path(__file__).parent.parent, sys.argv[1:])
    except (ConflictError, OSError) as error:
        sys.exit(f"{error}")
