"""The JSON Schemas in reports/, what each describes, and a validator that is not fyke's."""

import json

from support import program

try:
    import jsonschema
except ImportError:
    jsonschema = None

# Which schema describes what is written by which command; DATABASE and OTHER are put in.
COMMANDS = {
    "report": ["report", "-d", "DATABASE", "--json", "-", "--sessions", "--capture", "all"],
    "ports": ["ports", "-d", "DATABASE", "--format", "json", "--capture", "all"],
    "ports_close": ["ports", "-d", "DATABASE", "--format", "json", "--close"],
    "findings": ["findings", "-d", "DATABASE", "--format", "json", "--capture", "all"],
    "diff": ["diff", "--format", "json", "OTHER", "DATABASE"],
}


def no_key_twice(pairs):
    keys = [key for key, _ in pairs]
    assert len(set(keys)) == len(keys), f"a key twice in {keys}"
    return dict(pairs)


def no_constant(word):
    raise AssertionError(f"{word} is no JSON")


def parse(text):
    return json.loads(text, object_pairs_hook=no_key_twice, parse_constant=no_constant)


def read(name):
    """By file name, or by the name that `fyke help schema` knows."""
    return json.loads((program.ROOT / "reports" / name).read_text(encoding="utf-8"))


def validator(name):
    schema = read(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(schema, thing):
    return [f"{list(e.path)}: {e.message[:150]}" for e in schema.iter_errors(thing)][:5]


def objects(node, path=""):
    """(path, schema) of every object that a schema describes."""
    if isinstance(node, dict):
        if "properties" in node:
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}/{key}")
    elif isinstance(node, list):
        for n, value in enumerate(node):
            yield from objects(value, f"{path}/{n}")


def written(name, database, other):
    """What the command of that name writes, as a parsed object; raises AssertionError where it fails."""
    places = {"DATABASE": str(database), "OTHER": str(other)}
    outcome = program.run([places.get(word, word) for word in COMMANDS[name]], timeout=300)
    assert outcome.trouble() is None and outcome.status == 0, f"{name}: {outcome.trouble() or outcome.stderr[-300:]}"
    return parse(outcome.stdout)


def lines(database):
    outcome = program.run(["query", "-d", database, "--format", "jsonl"], timeout=300)
    assert outcome.trouble() is None and outcome.status == 0, f"query: {outcome.trouble() or outcome.stderr[-300:]}"
    return [parse(line) for line in outcome.stdout.splitlines()]
