"""The programs and the SDK, installed to a prefix of their own, and the author who has nothing else."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

BUILD = pathlib.Path(os.environ["PGANALYTICS_BINARY_DIR"])
FLAGS = os.environ.get("PGANALYTICS_TEST_FLAGS", "")


class Author:
    """Runs commands in a folder of theirs; sees the prefix and the system, not the tree."""

    def __init__(self, prefix, home):
        self.prefix, self.home = prefix, home
        self.program = str(prefix / "bin" / "pganalytics")
        kept = {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "CCACHE_DIR") if name in os.environ}
        self.environment = {
            **kept,
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "CMAKE_PREFIX_PATH": str(prefix),
            "PKG_CONFIG_PATH": str(next(prefix.glob("**/pkgconfig"))),
            "CFLAGS": FLAGS,
            "CXXFLAGS": FLAGS,
        }

    def run(self, *command, cwd=None, **environment):
        return subprocess.run([str(word) for word in command], cwd=cwd or self.home, env={**self.environment, **environment},
                              capture_output=True, text=True, timeout=300)

    def must(self, *command, cwd=None, **environment):
        """Its standard output; the test fails with everything it said if it does."""
        done = self.run(*command, cwd=cwd, **environment)
        assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def pganalytics(self, *arguments):
        return self.run(self.program, *arguments)

    def new(self, name, *options):
        self.must(self.program, "plugin", "new", name, *options)
        return self.home / name

    def build(self, project, *options):
        self.must("cmake", "-B", "build", *options, cwd=project)
        return self.must("cmake", "--build", "build", cwd=project)


@pytest.fixture(scope="session")
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="pga-sdk-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def prefix(folder):
    path = folder / "prefix"
    for component in ("collector", "sdk"):
        subprocess.run(["cmake", "--install", BUILD, "--prefix", path, "--component", component], check=True, capture_output=True)
    return path


@pytest.fixture
def author(prefix, folder):
    home = pathlib.Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    return Author(prefix, home)
