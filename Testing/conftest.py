"""Settings of all Python tests: markers, reproducible random data, the Slicer beside us."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

# A shell that starts the tests in the background makes them ignore Ctrl-C, and whatever they start
# inherits that; the tests of interruption need the usual state.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MARKERS = {
    "python": "the Python package: functions, types, errors, command line",
    "slicer": "compares with real Slicer; needs SEGMENTATIONCORE_SLICER_PYTHON",
    "paraview": "needs pvpython and pvserver",
    "packaging": "builds or installs something",
    "bridge": "the connection between ParaView and Slicer",
    "slow": "takes more than a few seconds",
    "large": "needs 5 GB of memory; runs only if it is asked for: -m large",
}

with contextlib.suppress(ImportError):  # not everything here needs it
    import hypothesis

    # The same examples on every run: a failure on one machine is a failure on all.
    hypothesis.settings.register_profile(
        "segmentationcore",
        derandomize=True,
        deadline=None,
        max_examples=60,
        suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
    )
    hypothesis.settings.load_profile("segmentationcore")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, so that a misspelt one is an error with --strict-markers."""
    for name, text in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is too large for every day, unless it is asked for."""
    if "large" in config.getoption("markexpr"):
        return
    large = [item for item in items if item.get_closest_marker("large")]
    if large:
        config.hook.pytest_deselected(items=large)
        items[:] = [item for item in items if item not in large]


@pytest.fixture(scope="session")
def slicer_python() -> str:
    """Python of an environment with slicer-core: the reference where Slicer says what is right."""
    executable = os.environ.get("SEGMENTATIONCORE_SLICER_PYTHON", "")
    if not executable:
        pytest.skip("SEGMENTATIONCORE_SLICER_PYTHON is not set (make test sets it)")
    return executable
