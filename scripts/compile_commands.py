#!/usr/bin/env python3
"""Makes a compilation database that editors can use of the one that CMake writes.

  compile_commands.py build/release/compile_commands.json build/release/editor/compile_commands.json

The preset release compiles several sources as one: each of them gets an entry of its own, with the same
options. Precompiled headers are left out, since only the compiler that made one can read it; what they hold is
included as text.
"""
import json
import pathlib
import re
import sys

INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)
# Editors take the first word for the compiler; some versions of CMake put ccache before it.
LAUNCHER = re.compile(r"^\S*cmake -E env (?:\w+=\S+ )*\S*ccache ")
PRECOMPILED = re.compile(r" -Xclang -include-pch -Xclang \S+")


def without_precompiled(command):
    """What of a command remains without the cache before it and without a precompiled header."""
    return PRECOMPILED.sub("", LAUNCHER.sub("", command))


def sources_of(file):
    """The sources that CMake or CMakeLists.txt put together in this one; itself where none were."""
    if "/Unity/unity_" not in file and "/generated/operations_" not in file:
        return [file]
    return [name for name in INCLUDE.findall(pathlib.Path(file).read_text()) if name.endswith(".cpp")]


def entries_of(entry):
    file, command = entry["file"], without_precompiled(entry["command"])
    for source in sources_of(file):
        one = dict(entry, file=source, command=command)
        if source != file:
            one["output"] = f"{entry.get('output', file)}/{pathlib.Path(source).name}.o"
            one["command"] = command.replace(file, source)
        yield one


def main():
    made, wanted = map(pathlib.Path, sys.argv[1:])
    database = [one for entry in json.loads(made.read_text()) for one in entries_of(entry)]
    wanted.parent.mkdir(parents=True, exist_ok=True)
    temporary = wanted.with_suffix(".part")
    temporary.write_text(json.dumps(database, indent=1) + "\n")
    temporary.replace(wanted)


if __name__ == "__main__":
    main()
