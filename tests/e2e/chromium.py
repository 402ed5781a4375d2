"""A headless Chromium that tests drive by its own protocol over a pipe, without a driver.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

PROGRAM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PATIENCE: Final = 120.0
"""Seconds that an answer may take, on a machine that does much else."""

# Chromium reads commands from descriptor 3 and answers on 4, whatever these are here.
_ON_3_AND_4: Final = """
import fcntl, os, sys
given = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for descriptor, number in zip(given, (3, 4)):
    os.dup2(descriptor, number)
    os.close(descriptor)
os.execv(sys.argv[3], sys.argv[3:])
"""

Message = dict[str, Any]


class Browser:
    """A running Chromium with one page."""

    def __init__(self, to: int, back: int) -> None:
        self._to = to
        self._back = back
        self._kept = b""
        self._last_id = 0
        self.events: list[Message] = []
        target = self._ask("Target.createTarget", {"url": "about:blank"})
        attached = self._ask(
            "Target.attachToTarget", {"targetId": target["targetId"], "flatten": True}
        )
        self._session: str = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, parameters: Mapping[str, Any] | None = None) -> Message:
        """What a command to the page answers."""
        return self._ask(method, parameters or {}, session=self._session)

    def open(self, file: Path, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Open a file at a size, in the light or the dark scheme."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.events.clear()
        self.ask("Page.navigate", {"url": file.resolve().as_uri()})
        until = time.monotonic() + _PATIENCE
        while (
            self.evaluate("document.readyState") != "complete"
            or self.evaluate("location.href") == "about:blank"
        ):
            if time.monotonic() > until:
                raise TimeoutError(f"Chromium did not finish {file}")
            time.sleep(0.05)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.ask(
            "Runtime.evaluate",
            {"expression": expression, "returnByValue": True, "awaitPromise": True},
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def screenshot(self, *, whole: bool = False) -> bytes:
        """The page as PNG; all of its length if asked."""
        answer = self.ask(
            "Page.captureScreenshot",
            {"format": "png", "captureBeyondViewport": whole}
            if not whole
            else {"format": "png", "captureBeyondViewport": True, "clip": self._whole()},
        )
        return base64.b64decode(answer["data"])

    def _whole(self) -> Message:
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}

    def _ask(
        self, method: str, parameters: Mapping[str, Any], *, session: str | None = None
    ) -> Message:
        self._last_id += 1
        message: Message = {"id": self._last_id, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + _PATIENCE
        while True:
            answer = self._next(until)
            if answer.get("id") != self._last_id:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise AssertionError(f"{method}: {answer['error']}")
            result: Message = answer["result"]
            return result

    def _next(self, until: float) -> Message:
        while b"\0" not in self._kept:
            ready, _, _ = select.select([self._back], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("Chromium did not answer")
            read = os.read(self._back, 1 << 20)
            if not read:
                raise AssertionError("Chromium ended")
            self._kept += read
        line, _, self._kept = self._kept.partition(b"\0")
        message: Message = json.loads(line)
        return message


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser of its own, with an empty profile; it ends with the block."""
    assert PROGRAM is not None
    to_read, to = os.pipe()
    back, back_write = os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _ON_3_AND_4, str(to_read), str(back_write)),
            *(PROGRAM, *_FLAGS, f"--user-data-dir={profile}"),
        ],
        pass_fds=(to_read, back_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(to_read)
    os.close(back_write)
    try:
        yield Browser(to, back)
    finally:
        os.close(to)
        os.close(back)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
