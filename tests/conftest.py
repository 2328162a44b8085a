"""What every test may use."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Eight devices to divide tables among. What does not ask for them runs on the first.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)

if os.environ.get("KERAS_BACKEND", "jax") == "jax":
    import jax

    # Most of the time goes into compiling, and many tests compile the same. The first process makes
    # a folder for what was compiled, which its workers share. Those that tests start do without:
    # killed, one would leave a part of a file for others to read.
    FOLDER = "ROWWISE_TESTS_COMPILED"
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="rowwise-compiled-")
        atexit.register(shutil.rmtree, os.environ[FOLDER], ignore_errors=True)
    jax.config.update("jax_compilation_cache_dir", os.environ[FOLDER])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

# A first call compiles, which takes longer than any deadline for the calls that follow.
settings.register_profile("rowwise", deadline=None, max_examples=50)
settings.load_profile("rowwise")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; it is not part of the project."""
    folder = ROOT.parent / "shared" / "data"
    assert folder.is_dir(), f"The tests on real data need the folder {folder}."
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser without a window, driven by playwright. WebGL is drawn by the processor."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    assert path, f"The tests of pages need one of these browsers: {', '.join(names)}."
    arguments = [
        "--no-sandbox",
        "--disable-background-networking",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A new page; at the end it must have had no error and asked nothing of another host.

    That a server refuses what it is asked is no error of the page.
    """
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.set_default_timeout(60_000)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    refused = "error: Failed to load resource: the server responded with a status of 4"
    harmless = ("log:", "info:", "debug:", refused)
    assert [one for one in said if not one.startswith(harmless)] == []
    homes = ("file:", "data:", "blob:", "http://127.0.0.1:")
    assert [url for url in asked if not url.startswith(homes)] == []


@pytest.fixture(autouse=True, scope="session")
def one_gradient_for_each_row() -> Iterator[None]:
    """Let stock Keras on TensorFlow see what it sees on JAX and torch: sums for repeated ids.

    There it gets the gradient of a table as parts, one for each lookup, and its optimizers square
    the parts where elsewhere they square their sum. What rowwise gives is the same everywhere.
    """
    if os.environ.get("KERAS_BACKEND") != "tensorflow":
        yield
        return
    import tensorflow as tf

    found = tf.GradientTape.gradient

    def summed(*args: Any, **kwargs: Any) -> Any:
        return tf.nest.map_structure(of_rows, found(*args, **kwargs))

    def of_rows(gradient: Any) -> Any:
        is_parts = isinstance(gradient, tf.IndexedSlices)
        return tf.convert_to_tensor(gradient) if is_parts else gradient

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.GradientTape, "gradient", summed)
        yield
