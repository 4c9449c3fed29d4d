#!/usr/bin/env python3
"""Checks JSON files against a JSON Schema: validate_metrics.py SCHEMA FILE...

Needs the package jsonschema. Prints each violation with its place; exit code 0 when there is none,
1 when there are some, 2 for wrong usage.
"""
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("validate_metrics.py needs the Python package jsonschema: pip install jsonschema")


def refuse_constant(name):
    raise ValueError(f"{name} is not strict JSON")


def violations(validator, path):
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file, parse_constant=refuse_constant)
    except (OSError, ValueError) as error:
        return [f"{path}: {error}"]
    errors = validator.iter_errors(document)
    return [f"{path}: {error.json_path}: {error.message}" for error in errors]


def main(arguments):
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    found = [line for path in arguments[1:] for line in violations(validator, path)]
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
