#!/usr/bin/python3
"""Makes the fixtures of this directory with python3-cryptography (38) and a DER writer of its own; no build runs it.

    ./make_fixtures.py            writes pki/*.cert.*, requests/, responses/, manifest.json, expected-hex.tsv: the same octets every time
    ./make_fixtures.py --check    also has openssl and python3-cryptography read every valid one
    ./make_fixtures.py --capture  makes captured/ anew by `openssl ocsp` and python3-cryptography, whose answers bear the time of day
"""

import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from recipe import broken, broken_responses, captured, check, expected, valid  # noqa: E402
from recipe.broken import short  # noqa: E402
from recipe.pki import Pki  # noqa: E402


def main():
    pki = Pki(HERE / "pki")
    manifest = []

    def write(kind, name, outcome, rule, text, message, **more):
        folder = HERE / (kind + "s")
        path = folder / f"{name}.der"
        if path.exists():
            raise SystemExit(f"{path} is written twice")
        path.write_bytes(message if isinstance(message, bytes) else message.encode())
        manifest.append({"file": f"{kind}s/{name}.der", "kind": kind, "outcome": outcome, "rule": rule, "about": text, **more})

    for folder in ("requests", "responses"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
        (HERE / folder).mkdir()

    for name, rule, text, tree in valid.requests(pki):
        write("request", f"ok-{name}", "None", rule, text, tree, facts=tree.facts)
    for name, rule, text, tree in valid.responses(pki):
        write("response", f"ok-{name}", "None", rule, text, tree, facts=tree.facts)
    for kind, rows in (("request", broken.requests(pki)), ("response", broken_responses.responses(pki))):
        for name, rule, text, message, outcome in rows:
            write(kind, name, outcome, rule, text, message)
    for name, rule, text, tree, dotted in broken_responses.extension_values(pki):
        write("response", f"value-{name}", "None", rule, text, tree, invalidExtension=dotted)
    for oddity, tree in valid.false_written_out(pki).items():
        write(oddity, "ok-critical-false-written-out", "None", "D9", "critical FALSE written out: not DER, accepted, never produced.", tree, facts=tree.facts)

    if "--capture" in sys.argv:
        captured.capture(HERE / "captured", pki)
    for path in sorted((HERE / "captured").glob("*.der")):
        kind = "request" if "request" in path.name else "response"
        manifest.append({"file": f"captured/{path.name}", "kind": kind, "outcome": "None", "rule": "Q1", "about": f"Made by {path.name.split('-')[0]}."})

    rows = ",\n".join("  " + json.dumps(row) for row in manifest)
    (HERE / "manifest.json").write_text(f"[\n{rows}\n]\n")
    (HERE / "expected-hex.tsv").write_text("".join(f"{name}\t{node.encode().hex()}\n" for name, node in expected.hexes(pki)))
    print(f"{len(manifest)} messages, {sum(row['outcome'] == 'None' for row in manifest)} of them valid")
    if "--check" in sys.argv:
        check.check(HERE, pki, manifest)


if __name__ == "__main__":
    main()
