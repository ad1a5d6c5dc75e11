"""Requests made up from the description of an API, right and wrong ones, to a server that runs (schemathesis, the group `openapi`).

`python openapi.py http://127.0.0.1:8080 --token T` reads `/openapi.json` from there; `--schema FILE` uses another, such as the one that
is committed. The exit code is 0 where there is no failure: no answer of 5xx other than 503, no status, header or body that the description
does not have, nothing wrong that is accepted, and no route that answers without its token.

Extra arguments go to schemathesis, as in `-- --max-examples 500 --include-path /v1/score`.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

# Codes of servers that are asked for more than they take are no failure of theirs.
# Which tables, columns, leads and features there are the config says, and the description does not.
CONFIG = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 422, 429, "5xx"]
"""


def main():
    own, more = sys.argv[1:], []
    if "--" in own:
        at = own.index("--")
        own, more = own[:at], own[at + 1 :]
    parser = argparse.ArgumentParser()
    parser.add_argument("url", help="the server, without a path")
    parser.add_argument("--schema", type=pathlib.Path, help="instead of what the server says of itself")
    parser.add_argument("--schema-path", default="/openapi.json")
    parser.add_argument("--token")
    parser.add_argument("--examples", type=int, default=100, help="of each operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leave-out", action="append", default=[], help="a check of schemathesis that is not made")
    given = parser.parse_args(own)
    if given.schema:
        text = given.schema.read_text()
    else:
        headers = {"Authorization": f"Bearer {given.token}"} if given.token else {}
        with urllib.request.urlopen(urllib.request.Request(given.url + given.schema_path, headers=headers), timeout=30) as answer:
            text = answer.read().decode()
    schema = json.loads(text)
    n_operations = sum(method in ("get", "put", "post", "delete", "patch") for path in schema["paths"].values() for method in path)
    print(f"{n_operations} operations of OpenAPI {schema['openapi']}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        # A file, so that the description that is tested is the one that was counted.
        path, config = pathlib.Path(folder) / "openapi.json", pathlib.Path(folder) / "schemathesis.toml"
        path.write_text(text)
        config.write_text(CONFIG)
        command = [pathlib.Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", path, "--url", given.url]
        command += ["--checks", "all", "--max-examples", given.examples, "--seed", given.seed, "--workers", 1, "--continue-on-failure"]
        command += ["--generation-deterministic", "--no-color", "--request-timeout", 30, "--output-sanitize", "true"]
        if given.token:
            command += ["--header", f"Authorization:Bearer {given.token}"]
        if given.leave_out:
            command += ["--exclude-checks", ",".join(given.leave_out)]
        sys.exit(subprocess.run([*map(str, command), *more], cwd=folder).returncode)


if __name__ == "__main__":
    main()
