"""Real Chromium, with the TypeScript client on connect-web, calls the platform from a page of another origin (CORS)."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.contract.test_one_claim_by_each_client import carry
from tests.support.foreign_clients import http_addresses
from tests.support.platforms import PlatformUnderTest

pytestmark = [
    pytest.mark.xdist_group("platform"),
    pytest.mark.needs("chromium"),
    pytest.mark.needs("npm"),
    pytest.mark.needs("node"),
]

STRANGER = "stranger.example"
"""A host that Chromium takes for one elsewhere, and that the platform does not allow."""
PAGE = "<!doctype html><title>frontend</title><script type=module src=browser.js></script>"
CALL = "given => window.cmsExample(given)"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def website(folder: Path) -> Iterator[int]:
    """Serves the folder, and gives the port."""
    (folder / "index.html").write_text(PAGE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of this machine."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    options = ["--no-sandbox", f"--host-resolver-rules=MAP {STRANGER} 127.0.0.1"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def frontend(browser: Browser, typescript: Path) -> Iterator[tuple[Page, int]]:
    """A page of a website on this machine, and its port."""
    with website(typescript / "build") as port:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        yield page, port
        page.close()


@pytest.mark.parametrize(
    "protocol",
    ["connect-json", *(pytest.param(other, marks=pytest.mark.long) for other in ("connect-binary", "grpc-web"))],
)
def test_a_page_carries_a_claim_through(
    platform_under_test: PlatformUnderTest, frontend: tuple[Page, int], protocol: str
) -> None:
    page, _ = frontend
    addresses = http_addresses(platform_under_test.layout)

    def by_page(name: str, token: str, **given: Any) -> Any:
        return page.evaluate(
            CALL, {"protocol": protocol, "addresses": addresses, "step": name, "token": token, **given}
        )

    carry(platform_under_test, by_page)


def refusal(page: Page, platform: PlatformUnderTest) -> Any:
    """Has the page ask for a claim that does not exist, and returns what it is told."""
    given = {
        "protocol": "connect-json",
        "addresses": http_addresses(platform.layout),
        "step": "refusal",
        "token": platform.journey("single, council tenant").operator,
        "claimRef": "C00000000000",
    }
    return page.evaluate(CALL, given)


def test_a_page_reads_why_a_call_was_refused(
    platform_under_test: PlatformUnderTest, frontend: tuple[Page, int]
) -> None:
    page, _ = frontend

    told = refusal(page, platform_under_test)

    assert told["reason"] == "NO_CLAIM"
    assert told["traceparent"].startswith("00-")


def test_a_page_of_an_origin_that_is_not_allowed_gets_no_answer(
    platform_under_test: PlatformUnderTest, frontend: tuple[Page, int], browser: Browser
) -> None:
    _, port = frontend
    page = browser.new_page()
    page.goto(f"http://{STRANGER}:{port}/")

    told = refusal(page, platform_under_test)

    assert told["reason"] == ""
    assert "fetch" in told["message"].lower()
    page.close()
