"""Every other way to the installed SDK: find_package's versions and messages, pkg-config and make, a moved prefix, debhelper."""
import pathlib
import re
import shutil
import subprocess

import pytest

PACKAGING = pathlib.Path(__file__).parents[3] / "docs/plugin/packaging.md"


def test_the_makefile_of_the_documentation_builds_tests_and_installs(author):
    (makefile,) = re.findall(r"^```make\n(.*?)^```", PACKAGING.read_text(), re.DOTALL | re.MULTILINE)
    project = author.new("acme_redis")
    (project / "CMakeLists.txt").unlink()
    (project / "Makefile").write_text(makefile)
    author.environment["CFLAGS"] += " -Wall -Wextra -Werror"
    author.must("make", "collector_test", "install", cwd=project)
    author.must("./collector_test", cwd=project)
    assert "pganalytics plugin validate acme_redis.so" in author.must("make", "--dry-run", "check", cwd=project)
    described = author.must(author.program, "plugin", "describe", "acme_redis", "--config", "/dev/null")
    assert "acme_redis 1.2.3" in described
    exported = author.must("nm", "--dynamic", "--defined-only", "acme_redis.so", cwd=project).split()
    assert "pga_plugin_v1" in exported
    assert [word for word in exported if "forks" in word or "descriptor" in word] == []


def test_pkg_config_knows_the_abi(author):
    for variable, value in (("abi_major", "1"), ("abi_minor", "0"), ("confdir", "/etc/pganalytics/conf.d")):
        assert author.must("pkg-config", f"--variable={variable}", "pganalytics-plugin").strip() == value
    assert author.run("pkg-config", "--atleast-version=2", "pganalytics-plugin").returncode != 0


def configure(author, name, lines, *options, **environment):
    project = author.home / name
    project.mkdir()
    (project / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.18)\n" + "\n".join(lines) + "\n")
    return author.run("cmake", "-B", "build", *options, cwd=project, **environment)


def test_find_package_refuses_another_major(author):
    for version, taken in (("1", True), ("1.0", True), ("1.9", False), ("2", False)):
        done = configure(author, f"v{version}", ["project(x LANGUAGES C)", f"find_package(pganalytics-plugin {version} REQUIRED)"])
        assert (done.returncode == 0) == taken, done.stderr
        assert taken or "version: 1.0" in done.stderr


def test_cxx_without_rapidjson_is_told_what_to_install(author):
    nowhere = ["-DCMAKE_FIND_ROOT_PATH=/nonexistent", "-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY"]
    found = ["find_package(pganalytics-plugin 1.0 REQUIRED)"]
    done = configure(author, "cxx", ["project(x LANGUAGES CXX)"] + found, *nowhere)
    assert done.returncode != 0
    assert "rapidjson-dev" in done.stderr
    assert configure(author, "c", ["project(x LANGUAGES C)"] + found, *nowhere).returncode == 0


@pytest.mark.parametrize("call, said", [
    ("pganalytics_add_plugin(9x SOURCES a.c)", "no plugin id"),
    (f"pganalytics_add_plugin({'x' * 33} SOURCES a.c)", "no plugin id"),
    ("pganalytics_add_plugin(acme_x a.c)", "say SOURCES"),
])
def test_a_wrong_call_is_refused(author, call, said):
    done = configure(author, "wrong", ["project(x LANGUAGES C)", "find_package(pganalytics-plugin 1.0 REQUIRED)", call])
    assert done.returncode != 0 and said in " ".join(done.stderr.split())


def test_any_text_survives_embedding(author):
    text = 'a "quoted" \\ back\\slash\n??= trigraph ???= )" R"( %s \t tab ü\n\n' + "long " * 20000 + "\n"
    (author.home / "odd-name.v14.sql").write_text(text)
    (author.home / "empty").write_text("")
    shell = author.must("pkg-config", "--variable=embed", "pganalytics-plugin").strip()
    author.must("sh", shell, "all.h", "odd-name.v14.sql", "empty")
    for language, name in (("c", "embedded_odd_name_v14_sql"), ("cpp", "embedded::odd_name_v14_sql")):
        source = author.home / f"print.{language}"
        source.write_text(f'#include <stdio.h>\n#include "all.h"\nint main(void) {{ return fputs({name}, stdout) < 0; }}\n')
        standard = {"c": ["gcc", "-std=c99"], "cpp": ["g++", "-std=c++17"]}[language]
        author.must(*standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", f"print-{language}", source)
        assert author.must(f"./print-{language}") == text


def test_the_package_may_be_moved(author, prefix):
    moved = author.home / "elsewhere"
    shutil.copytree(prefix, moved, symlinks=True)
    author.environment.update(CMAKE_PREFIX_PATH=str(moved), PKG_CONFIG_PATH=str(moved / "lib/pkgconfig"))
    done = configure(author, "p", ["project(x LANGUAGES C)", "find_package(pganalytics-plugin 1.0 REQUIRED)",
                                   "get_target_property(d pganalytics::sdk INTERFACE_INCLUDE_DIRECTORIES)", "message(\"dir ${d}\")"])
    assert f"dir {moved}/include" in done.stderr
    embed = author.must("pkg-config", "--variable=embed", "pganalytics-plugin").strip()
    assert str(moved) in embed and subprocess.run(["test", "-x", embed]).returncode == 0


@pytest.mark.skipif(shutil.which("dh") is None, reason="debhelper is not installed")
@pytest.mark.parametrize("language", ("c", "cpp"))
def test_the_project_is_a_debian_package(author, language):
    project = author.new("acme_x", "--lang", language)
    # The build dependency on the SDK is what the prefix stands for.
    # Its checks are those that test_projects.py runs.
    author.must("dpkg-buildpackage", "-us", "-uc", "-b", "-d", cwd=project, DEB_BUILD_OPTIONS="nocheck")
    (package,) = [path for path in author.home.glob("*.deb") if "dbgsym" not in path.name]
    assert package.name.startswith("pganalytics-plugin-acme-x_0.1.0_")
    content = author.must("dpkg-deb", "--contents", package)
    assert "/pganalytics/plugins/acme_x.so" in content
    assert "./etc/pganalytics/conf.d/50-acme_x.toml" in content
    control = author.must("dpkg-deb", "--field", package, "Depends")
    assert "pganalytics-plugin-abi-1" in control and "libc6" in control
    author.must("dpkg-deb", "--extract", package, "unpacked")
    (plugin,) = author.home.glob("unpacked/usr/lib/*/pganalytics/plugins/acme_x.so")
    assert "pganalytics" in author.must("readelf", "--notes", plugin), "stripping keeps the note"
