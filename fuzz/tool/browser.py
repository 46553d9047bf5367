# SPDX-License-Identifier: ISC
"""Chromium without a window, spoken to through two pipes: opens a page as a screen of some size and theme shows it, and
keeps what its console says and what it asks of a network. For checks alone."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

import build

PROGRAM = "chromium"
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe")
# The browser reads 3 and writes 4. A shell would do for pipes with one digit, of which other checks may have all.
AS_3_AND_4 = """
import fcntl, os, sys
both = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(both[0], 3)
os.dup2(both[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
SECONDS_MAX = 120  # for one answer: the machine may be busy


class Browser:
    def __init__(self):
        if shutil.which(PROGRAM) is None:
            raise build.Stop(f"{PROGRAM} is not there: it is in Debian's package of that name", 2)
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.number = 0
        self.buffer = b""
        self.events = []
        self.session = None

    def __enter__(self):
        theirs_in, self.out = os.pipe()
        self.back, theirs_out = os.pipe()
        command = [sys.executable, "-c", AS_3_AND_4, str(theirs_in), str(theirs_out), PROGRAM, *QUIET, f"--user-data-dir={self.home.name}",
                   "about:blank"]
        homes = {name: self.home.name for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        self.process = subprocess.Popen(build.bound(command), env={**os.environ, **homes}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        pass_fds=(theirs_in, theirs_out), start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        target = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setFocusEmulationEnabled", enabled=True)  # as if it were the window in front
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.ask("Browser.close")
        except build.Stop:
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.back)
        self.home.cleanup()

    def message(self, until):
        """The next message of the browser."""
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.back], [], [], max(0, until - time.monotonic()))
            part = os.read(self.back, 1 << 16) if ready else b""
            if not part:
                raise build.Stop(f"{PROGRAM}: no answer{'' if ready else f' in {SECONDS_MAX} s'}")
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)

    def ask(self, method, **parameters):
        """The answer to one call; what happens meanwhile joins the events."""
        self.number += 1
        session = {"sessionId": self.session} if self.session else {}
        call = json.dumps({"id": self.number, "method": method, "params": parameters, **session})
        os.write(self.out, call.encode() + b"\0")
        until = time.monotonic() + SECONDS_MAX
        while True:
            message = self.message(until)
            if message.get("id") == self.number:
                if "error" in message:
                    raise build.Stop(f"{PROGRAM}: {method}: {message['error']['message']}")
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def wait(self, method):
        until = time.monotonic() + SECONDS_MAX
        while not any(event["method"] == method for event in self.events):
            message = self.message(until)
            if "method" in message:
                self.events.append(message)

    def open(self, url, width=1280, height=900, dark=False, touch=False):
        """Loads a page anew."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Emulation.setTouchEmulationEnabled", enabled=touch)
        self.ask("Page.navigate", url="about:blank")
        self.events.clear()
        self.ask("Page.navigate", url=url)
        self.wait("Page.loadEventFired")
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def value(self, expression):
        """What an expression in the page comes to."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise build.Stop(f"{PROGRAM}: {answer['exceptionDetails'].get('exception', {}).get('description', 'an exception')}")
        return answer["result"].get("value")

    def mouse(self, x, y):
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def complaints(self):
        """What the console said since the page was opened."""
        said = []
        for event in self.events:
            if event["method"] == "Runtime.exceptionThrown":
                said.append(event["params"]["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            elif event["method"] == "Runtime.consoleAPICalled":
                said.append("console: " + " ".join(str(one.get("value", one.get("description"))) for one in event["params"]["args"]))
            elif event["method"] == "Log.entryAdded":
                said.append(event["params"]["entry"]["text"])
        return said

    def requests(self):
        """Addresses that it asked for since then, its own and data in it apart."""
        urls = [event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [url for url in urls[1:] if not url.startswith("data:")]

    def picture(self, path, whole=False):
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
