"""Shows the page: on this machine alone, and without a word to any other."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

from bigans.demo.settings import PageSettings
from bigans.demo.work import Work
from sr_program.errors import DataError, reason

HOST = "127.0.0.1"
_STATIC = Path(__file__).parent / "static"
_STARTED_WITHIN = 60.0  # seconds


def go_offline(folder: Path) -> None:
    """Tells Gradio, before it is imported, to ask nobody, and where its files go.

    Args:
        folder: For uploads and results.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_TEMP_DIR"] = str(folder)


def build_app(settings: PageSettings, work: Work | None = None) -> Any:
    """The app that `PageServer` runs.

    Args:
        settings: What the page is made of.
        work: For tests that look into it.

    Returns:
        fastapi.FastAPI.
    """
    go_offline(settings.folder)
    import gradio as gr  # pyright: ignore[reportMissingImports]
    from fastapi import FastAPI  # pyright: ignore[reportMissingImports]
    from fastapi.middleware.trustedhost import (  # pyright: ignore[reportMissingImports]
        TrustedHostMiddleware,
    )

    from bigans.demo.layers import add_layers
    from bigans.demo.page import build_page

    work = work or Work(settings)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # Against pages of others that give this machine a name of theirs.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    add_layers(app, work.sessions)
    page = build_page(work)
    # Else Gradio does not ask whether a file that a browser or program names was uploaded.
    page.has_launched = True
    return gr.mount_gradio_app(
        app,
        page,
        path="/",
        server_name=HOST,
        footer_links=["api"],
        run_history=False,
        max_file_size=settings.max_file_bytes,
        show_error=True,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        theme=_theme(gr),
        css_paths=_STATIC / "page.css",
    )


def _theme(gr: Any) -> Any:
    """Fonts of this machine, for none may be fetched; colours of at least 4.5 to 1."""
    theme = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return theme.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        slider_color="*primary_700",
        slider_color_dark="*primary_400",
    )


def open_port(number: int) -> socket.socket:
    """A port of this machine that other machines cannot reach.

    Args:
        number: 0 takes any that is free.

    Raises:
        DataError: It is taken, or there is no such port.
    """
    port = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind((HOST, number))
    except (OSError, OverflowError) as error:
        port.close()
        raise DataError(
            f"port {number} cannot be opened ({reason(error)}); choose another port, or 0 for any "
            "that is free"
        ) from error
    return port


class PageServer:
    """A running page, as a context manager.

    Example:
        with PageServer(settings, open_port(0)) as page:
            print(page.url)
            page.wait()
    """

    def __init__(
        self, settings: PageSettings, port: socket.socket, *, work: Work | None = None
    ) -> None:
        """Takes a port.

        Args:
            settings: What the page is made of.
            port: Of `open_port`; closed at the end.
            work: For tests that look into it.
        """
        self._socket = port
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}/"
        import uvicorn  # pyright: ignore[reportMissingImports]

        config = uvicorn.Config(
            build_app(settings, work), log_level="warning", timeout_graceful_shutdown=3
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> PageServer:
        """Starts to answer."""
        self._thread.start()
        end = time.monotonic() + _STARTED_WITHIN
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.02)
        if not self._server.started:
            raise DataError("the page's server has not started")
        return self

    def __exit__(self, *error: object) -> None:
        """Stops."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        if not self._thread.is_alive():  # else it still uses the port
            self._socket.close()

    def wait(self) -> None:
        """Until the server ends, or Ctrl-C."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.5)
