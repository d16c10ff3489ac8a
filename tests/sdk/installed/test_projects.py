"""From `plugin new` to documents, with what is installed and nothing else, for each language; and what `plugin new` refuses."""
import json
import re

import pytest

LANGUAGES = ("c", "cpp")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_project_builds_passes_its_test_and_collects(author, language):
    project = author.new("forks", "--lang", language, "--vendor", f"Acme {language}")
    plugin = f"acme_{language}_forks"
    said = author.build(project)
    assert "warning" not in said
    tested = author.must("ctest", "--test-dir", "build", "--verbose", "--parallel", "2", cwd=project)
    assert f"{plugin}_test" in tested
    assert ", 0 failed, " in tested, "plugin validate"
    # RapidJSON, which the one in C++ writes with, does not look at what malloc() returns.
    assert set(re.findall(r"warn +([EW]\d+)", tested)) <= ({"W55"} if language == "cpp" else set())

    author.must("cmake", "--install", "build", "--prefix", author.prefix, cwd=project)
    config = author.prefix / "etc/pganalytics/pganalytics.toml"
    config.write_text(f'[collector]\nstate_dir = "{author.home}/state"\n')
    listed = {entry["id"]: entry for entry in json.loads(author.must(author.program, "plugin", "list", "--json", "--config", config))}
    assert listed[plugin]["state"] == "disabled", "installing a plugin starts nothing"
    described = json.loads(author.must(author.program, "plugin", "describe", plugin, "--json", "--config", config))
    assert (described["version"], described["vendor"]) == ("0.1.0", f"Acme {language}")

    drop_in = config.parent / f"conf.d/50-{plugin}.toml"
    drop_in.write_text(drop_in.read_text().replace("enabled = false", "enabled = true"))
    document = json.loads(author.must(author.program, "once", "--plugin", plugin, "--config", config))
    assert document["type"] == plugin
    assert document["forks"] > 0
    assert document["forks_per_second_peak"] >= document["forks_per_second"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_to_fill_in(author, language):
    project = author.new("acme_x", "--lang", language)
    for path in project.rglob("*"):
        assert "@" not in path.name
        if path.is_file():
            assert not re.search(r"@[a-z]+@", path.read_text()), path
    assert (project / "debian/rules").stat().st_mode & 0o111


def test_a_project_in_c_needs_no_compiler_for_cxx(author):
    project = author.new("acme_x")
    author.build(project, "-DCMAKE_CXX_COMPILER=/bin/false", "--warn-uninitialized", "-Wno-dev")
    assert "CMAKE_CXX_COMPILER:" not in (project / "build/CMakeCache.txt").read_text().replace("CMAKE_CXX_COMPILER:UNINITIALIZED", "")
    symbols = author.must("nm", "--dynamic", "--undefined-only", "build/acme_x.so", cwd=project)
    assert "GLIBCXX" not in symbols


def test_ids_come_from_vendor_and_folder(author):
    for arguments, plugin in (
        (("redis",), "example_redis"),
        (("acme-redis",), "acme_redis"),
        (("deep/er/My Thing", "--vendor", "Acme Inc."), "acme_inc_my_thing"),
        (("any", "--id", "acme_any"), "acme_any"),
    ):
        project = author.new(*arguments)
        assert f'PGA_NOTE("{plugin}")' in (project / "collector.c").read_text()


@pytest.mark.parametrize("arguments, said", [
    (("full",), "is not an empty folder"),
    (("file",), "is not a folder"),
    (("x", "--lang", "rust"), "no template in the language 'rust'"),
    (("x", "--id", "9lives"), "no plugin id: a small letter, then 1 to 31 of a-z, 0-9 and _"),
    (("x", "--id", "collector"), "is reserved"),
    (("x" * 40,), "no plugin id"),
    (("x", "--vendor", 'a"b'), "a vendor is a name"),
    ((), "say where"),
    (("x", "y"), ""),
])
def test_what_new_refuses_it_leaves_alone(author, arguments, said):
    (author.home / "full").mkdir()
    (author.home / "full/mine").write_text("mine")
    (author.home / "file").write_text("mine")
    refused = author.pganalytics("plugin", "new", *arguments)
    assert refused.returncode == 2
    assert said in refused.stderr and "HINT: " in refused.stderr
    assert sorted(path.name for path in author.home.iterdir()) == ["file", "full"]


def test_an_empty_folder_will_do_but_not_the_one_we_are_in(author):
    (author.home / "acme_x").mkdir()
    assert "the current folder" in author.run(author.program, "plugin", "new", ".", cwd=author.home / "acme_x").stderr
    assert (author.new("acme_x") / "collector.c").exists()


def test_a_project_that_cannot_be_written_whole_is_not_there(author):
    limited = author.run("bash", "-c", f"ulimit -f 4; trap '' XFSZ; exec {author.program} plugin new acme_x")
    assert limited.returncode == 1
    assert "failed" in limited.stderr
    assert list(author.home.iterdir()) == []


def test_without_the_sdk_new_says_what_to_install(author, folder):
    (author.home / "bin").mkdir()
    program = author.home / "bin/pganalytics"
    program.write_bytes((author.prefix / "bin/pganalytics").read_bytes())
    program.chmod(0o755)
    refused = author.run(program, "plugin", "new", "acme_x")
    assert refused.returncode == 1
    assert "templates are not installed" in refused.stderr and "pganalytics-plugin-dev" in refused.stderr
