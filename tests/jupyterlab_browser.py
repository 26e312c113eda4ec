"""JupyterLab in a real browser: a server on a folder, and a page that does what a learner does."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
SETTINGS = {
    # All cells are in the page, so that one that is not in sight can be found.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false"},
}
LAPTOP = {"width": 1366, "height": 768}
MINUTES = 60_000


@contextmanager
def server(folder: Path, scratch: Path):
    """JupyterLab on a folder, with settings and everything else of its own; its address."""
    for name, values in SETTINGS.items():
        path = scratch / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTER_CONFIG_DIR": "config"}
    own |= {"JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    environment = {**os.environ, **{name: str(scratch / place) for name, place in own.items()}}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    with (scratch / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}/lab"
        _wait_for(address, process, scratch / "log")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(log.read_text())


@contextmanager
def browser():
    """A real Chromium, on a laptop's screen."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium.new_context(viewport=LAPTOP).new_page()
        chromium.close()


class Lab:
    """One notebook, open in JupyterLab."""

    def __init__(self, page: Page, address: str, path: Path):
        self.page, self.path = page, path
        page.goto(f"{address}/tree/{path.name}?reset")
        self.cells = page.locator(".jp-NotebookPanel:visible .jp-Cell")
        expect(self.cells.first).to_be_visible(timeout=2 * MINUTES)
        status = page.locator("#jp-main-statusbar")
        expect(status).to_contain_text("| Idle", timeout=2 * MINUTES)

    def menu(self, *names: str) -> None:
        """Choose an entry of the menu bar."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=names[0]).first.click()
        entry = self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{names[1]}"))
        entry.first.click()

    def cell(self, text: str):
        """The first code cell that holds this text now, whatever it will hold later."""
        number = next(n for n, shown in enumerate(self.cells.all_inner_texts()) if text in shown)
        return self.cells.nth(number)

    def wait_until_idle(self) -> None:
        light = self.page.locator(".jp-NotebookPanel:visible .jp-Notebook-ExecutionIndicator")
        expect(light).to_have_attribute("data-status", "idle", timeout=5 * MINUTES)

    def replace(self, cell, source: str) -> None:
        """Put other source into a cell and run it."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+Enter")

    def saved(self) -> nbformat.NotebookNode:
        """The notebook as the learner's disk has it."""
        before = self.path.stat().st_mtime_ns
        self.menu("File", "Save Notebook$")
        for _ in range(100):
            if self.path.stat().st_mtime_ns != before:
                break
            self.page.wait_for_timeout(100)
        return nbformat.read(self.path, 4)

    def wait_until_all_have_run(self) -> None:
        """Until no cell is waiting or at work any more."""
        last = self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell .jp-InputPrompt").last
        expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=5 * MINUTES)
        self.wait_until_idle()
