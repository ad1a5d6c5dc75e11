"""Asks a server of the Open Inference Protocol as the clients that people have do, and compares every probability.

`python protocol.py 127.0.0.1:8080 MODEL --expect rows.json --client tritonclient`, where the file has the names of the features, rows
of numbers or texts (`null`: a text that is missing) and the probability of each row:

    {"features": ["visits", "calls"], "rows": [[3, 1], [0, null]], "probabilities": [0.78, 0.5]}

Clients: `tritonclient` and `kserve` (the group `protocol`), `mlserver` (the group of that name). Without `--expect`, the rows are those of
the model in `protocol_model`, which MLServer serves: `MLSERVER_HTTP_PORT=8080 mlserver start tests/operate/protocol_model`.
"""
import argparse
import asyncio
import json
import math
import pathlib
import subprocess
import sys
import tempfile

MATRIX, OUTPUT = "input-0", "probability"
WEIGHTS = {"visits": 0.5, "calls": -0.25, "age": 0.125}


def by_hand():
    """What the model in `protocol_model` says."""
    rows = [[3.0, 1.0, 8.0], [0.0, 0.0, 0.0], [1e-3, 40.0, -2.5], [12.0, 7.0, 0.1]]
    likely = [1 / (1 + math.exp(-sum(value * weight for value, weight in zip(row, WEIGHTS.values())))) for row in rows]
    return {"features": [*WEIGHTS], "rows": rows, "probabilities": likely}


class Asked:
    def __init__(self, given):
        self.address, self.model, self.version, self.tolerance = given.address, given.model, given.version, given.tolerance
        self.headers = {"Authorization": f"Bearer {given.token}"} if given.token else {}
        self.expected = json.loads(given.expect.read_text()) if given.expect else by_hand()
        self.has_bodies_of_health = not given.empty_health
        self.n_compared = 0

    def compare(self, who, probabilities):
        wanted = self.expected["probabilities"]
        assert len(probabilities) == len(wanted), (who, len(probabilities), len(wanted))
        for row, (found, want) in enumerate(zip(probabilities, wanted)):
            assert abs(found - want) <= self.tolerance, f"{who}: row {row} has {found!r}, not {want!r}"
        self.n_compared += len(wanted)

    def tensors(self, np):
        """One matrix where all are numbers, and a tensor for each feature: all ways in which rows are given."""
        features = []
        for at, name in enumerate(self.expected["features"]):
            cells = [row[at] for row in self.expected["rows"]]
            if any(isinstance(cell, str) for cell in cells):
                # Clients have no text that is missing; an empty one is.
                features.append((name, np.array([cell or "" for cell in cells], dtype=np.object_)))
            else:
                features.append((name, np.array(cells, dtype=np.float64)))
        if all(values.dtype == np.float64 for _, values in features):
            yield "one matrix", [(MATRIX, np.stack([values for _, values in features], axis=1))]
        yield "a tensor a feature", features
        yield "a column a feature", [(name, values.reshape(-1, 1)) for name, values in features]


def datatype(values):
    """What the protocol calls the type of an array."""
    return "BYTES" if values.dtype == object else "FP64"


def by_tritonclient(asked):
    import numpy as np
    from tritonclient import http
    from tritonclient.utils import InferenceServerException

    client = http.InferenceServerClient(asked.address)
    more = {"headers": asked.headers}
    assert client.is_server_live(**more) and client.is_server_ready(**more) and client.is_model_ready(asked.model, **more)
    server, model = client.get_server_metadata(**more), client.get_model_metadata(asked.model, **more)
    assert server["name"] and server["version"] and isinstance(server["extensions"], list), server
    assert model["name"] == asked.model and "platform" in model, model
    assert [tensor["name"] for tensor in model["inputs"]] == asked.expected["features"], model
    assert OUTPUT in [tensor["name"] for tensor in model["outputs"]], model
    version = asked.version or (model.get("versions") or [""])[0]
    if version:
        assert client.is_model_ready(asked.model, version, **more)
    for how, tensors in asked.tensors(np):
        inputs = []
        for name, values in tensors:
            tensor = http.InferInput(name, values.shape, datatype(values))
            tensor.set_data_from_numpy(values, binary_data=False)
            inputs.append(tensor)
        for of_version in {"", version}:
            # JSON alone: tensors as bytes are an extension that a server need not have.
            outputs = [http.InferRequestedOutput(OUTPUT, binary_data=False)]
            answer = client.infer(asked.model, inputs, outputs=outputs, model_version=of_version, request_id="request 7", **more)
            response = answer.get_response()
            assert response["model_name"] == asked.model and response.get("id") == "request 7", response
            asked.compare(f"tritonclient, {how}", answer.as_numpy(OUTPUT).reshape(-1).tolist())
    for wrong in (lambda: client.infer("no-such-model", inputs, outputs=outputs, **more), lambda: client.get_model_metadata("no-such-model", **more)):
        try:
            wrong()
        except InferenceServerException as error:
            assert error.message(), error
        else:
            raise AssertionError("a model that is not there answered")
    client.close()


def by_kserve(asked):
    import numpy as np
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
    from kserve.protocol.infer_type import RequestedOutput

    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v2", retries=1, timeout=30))
        url = f"http://{asked.address}"
        # It reads `live` and `ready` from the bodies, which MLServer leaves empty.
        if asked.has_bodies_of_health:
            assert await client.is_server_live(url, asked.headers) and await client.is_server_ready(url, asked.headers)
            assert await client.is_model_ready(url, asked.model, asked.headers)
        for how, tensors in asked.tensors(np):
            inputs = []
            for name, values in tensors:
                tensor = InferInput(name=name, shape=list(values.shape), datatype=datatype(values))
                tensor.set_data_from_numpy(values, binary_data=False)
                inputs.append(tensor)
            question = InferRequest(model_name=asked.model, infer_inputs=inputs, request_id="request-7", request_outputs=[RequestedOutput(OUTPUT)])
            answer = await client.infer(url, question, model_name=asked.model, headers=asked.headers)
            assert answer.model_name == asked.model and answer.id == "request-7", answer
            (output,) = [output for output in answer.outputs if output.name == OUTPUT]
            asked.compare(f"kserve, {how}", output.as_numpy().reshape(-1).tolist())
        await client.close()

    asyncio.run(ask())


def by_mlserver(asked):
    """MLServer's own client reads requests from a file, a line each, and writes the answers."""
    import numpy as np
    from mlserver.codecs import NumpyCodec, StringCodec
    from mlserver.types import InferenceRequest, InferenceResponse

    def encoded(name, values):
        if datatype(values) == "BYTES":
            return StringCodec.encode_input(name, values.reshape(-1).tolist(), use_bytes=False)
        return NumpyCodec.encode_input(name, values)

    ways = [(how, InferenceRequest(inputs=[encoded(name, values) for name, values in tensors])) for how, tensors in asked.tensors(np)]
    with tempfile.TemporaryDirectory() as folder:
        requests, answers = pathlib.Path(folder) / "requests", pathlib.Path(folder) / "answers"
        requests.write_text("".join(request.model_dump_json(exclude_none=True) + "\n" for _, request in ways))
        command = [pathlib.Path(sys.executable).with_name("mlserver"), "infer", "-u", asked.address, "-m", asked.model, "-i", requests, "-o", answers]
        for name, value in asked.headers.items():
            command += ["-H", f"{name}: {value}"]
        subprocess.run(command, check=True, capture_output=True)
        lines = [json.loads(line) for line in answers.read_text().splitlines()]
        for (how, _), line in zip(ways, sorted(lines, key=lambda line: line["parameters"]["inference"]["index"] if "inference" in line.get("parameters", {}) else 0), strict=True):
            answer = InferenceResponse.model_validate(line)
            (output,) = [output for output in answer.outputs if output.name == OUTPUT]
            asked.compare(f"mlserver, {how}", np.asarray(NumpyCodec.decode_output(output)).reshape(-1).tolist())


CLIENTS = {"tritonclient": by_tritonclient, "kserve": by_kserve, "mlserver": by_mlserver}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", help="host:port")
    parser.add_argument("model")
    parser.add_argument("--client", choices=CLIENTS, action="append", required=True)
    parser.add_argument("--expect", type=pathlib.Path)
    parser.add_argument("--version")
    parser.add_argument("--empty-health", action="store_true", help="for MLServer, whose answers about health have no body")
    parser.add_argument("--token")
    parser.add_argument("--tolerance", type=float, default=1e-12)
    given = parser.parse_args()
    for name in given.client:
        asked = Asked(given)
        CLIENTS[name](asked)
        print(f"{name}: {asked.n_compared} probabilities are equal")


if __name__ == "__main__":
    main()
