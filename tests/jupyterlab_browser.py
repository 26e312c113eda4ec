"""JupyterLab in a real browser: a server on a folder, and a page that does what a learner does."""

import json
import os
import re
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import nbformat
from playwright.sync_api import Page, Response, expect
from tools.server_memory import TOKEN, Learner

from chromium import CHROMIUM, LAPTOP, launched

__all__ = ["CHROMIUM", "MINUTES", "Lab", "browser", "expect", "server"]

SETTINGS = {
    # All cells are in the page, so that one that is not in sight can be found.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false"},
}
MINUTES = 60_000


@contextmanager
def server(folder: Path, scratch: Path):
    """JupyterLab on a folder, with settings of its own; its address."""
    for name, values in SETTINGS.items():
        path = scratch / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    own = {
        f"JUPYTERLAB_{what.upper()}_DIR": str(scratch / what) for what in ("settings", "workspaces")
    }
    with mock.patch.dict(os.environ, own), Learner(folder) as learner:
        yield learner.wait()


@contextmanager
def browser():
    """A page of a real Chromium, on a laptop's screen."""
    with launched() as chromium:
        yield chromium.new_context(viewport=LAPTOP).new_page()


def _of_a_save(response: Response) -> bool:
    return response.request.method == "PUT" and "/api/contents/" in response.url


class Lab:
    """One notebook, open in JupyterLab."""

    def __init__(self, page: Page, address: str, path: Path):
        self.page, self.address, self.path = page, address, path
        page.goto(f"{address}lab/tree/{path.name}?reset&token={TOKEN}")
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
        with self.page.expect_response(_of_a_save, timeout=MINUTES):  # it comes after the writing
            self.menu("File", "Save Notebook$")
        return nbformat.read(self.path, 4)

    def wait_until_all_have_run(self) -> None:
        """Until no cell is waiting or at work any more."""
        # A folded cell shows no number: the last one that is open, and then the kernel, tell.
        opened = ".jp-NotebookPanel:visible .jp-CodeCell:not(:has(.jp-InputPlaceholder))"
        last = self.page.locator(f"{opened} .jp-InputPrompt").last
        expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=5 * MINUTES)
        self.wait_until_idle()
