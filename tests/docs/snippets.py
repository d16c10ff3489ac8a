"""snippets.py CC CXX SOURCE_DIR INCLUDE... : each block of C and C++ in the pages for plugin authors compiles, warnings as errors."""

import pathlib
import re
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-unused-function", "-fsyntax-only"]
# What docs/plugin/README.md says stands before a block.
PRELUDES = {
    "c": "#define _POSIX_C_SOURCE 200809L\n#include <pganalytics/plugin.h>\n#include <stdio.h>\n",
    "cpp": "#include <libpq-fe.h>\n#include <pganalytics/plugin.hpp>\n#include <pganalytics/testhost.hpp>\n#include <pganalytics/text.hpp>\n#include <rapidjson/document.h>\n"
           "#include <sys/socket.h>\n#include <sys/stat.h>\n#include <unistd.h>\n#include <condition_variable>\n#include <mutex>\n#include <thread>\n"
           "using namespace pganalytics;\n",
}


def blocks(page, language):
    """(line, text) of each fenced block of this language."""
    text = page.read_text()
    for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, found.start()) + 2, found.group(1)


def units(page, language):
    """What the compiler is given: blocks that include something alone, the others of a page together."""
    shared = ""
    for line, text in blocks(page, language):
        place = f'#line {line} "{page}"\n'
        if text.lstrip().startswith("#include"):
            yield place + text
        elif language == "cpp":
            shared += f"namespace block_{line} {{\n{place}{text}}}\n"
        else:
            shared += place + text
    if shared:
        yield PRELUDES[language] + shared


def main(cc, cxx, source, includes):
    pages = [source / "docs" / "PLUGIN_GUIDE.md", *sorted((source / "docs" / "plugin").glob("*.md"))]
    compilers = {"c": [cc, "-std=c11", "-x", "c"], "cpp": [cxx, "-std=c++17", "-DRAPIDJSON_HAS_STDSTRING=1", "-x", "c++"]}
    compiled = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for page in pages:
            for language, compiler in compilers.items():
                for unit in units(page, language):
                    file = pathlib.Path(folder) / "snippet"
                    file.write_text(unit)
                    done = subprocess.run([*compiler, *WARNINGS, *(f"-I{path}" for path in includes), file], capture_output=True, text=True)
                    compiled += 1
                    failed += done.returncode != 0
                    sys.stderr.write(done.stderr)
    print(f"{compiled} pieces compiled, {failed} failed")
    return failed != 0 or compiled < 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4:]))
