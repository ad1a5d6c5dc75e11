"""A model for MLServer whose numbers can be computed by hand: a logistic function of a weighted sum of three features."""
import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

WEIGHTS = {"visits": 0.5, "calls": -0.25, "age": 0.125}


class Logistic(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        values = {tensor.name: np.asarray(NumpyCodec.decode_input(tensor), dtype=float) for tensor in payload.inputs}
        # One matrix, or a tensor for each feature.
        matrix = values["input-0"] if "input-0" in values else np.column_stack([values[name].reshape(-1) for name in WEIGHTS])
        probabilities = 1 / (1 + np.exp(-(matrix @ np.array([*WEIGHTS.values()]))))
        output = NumpyCodec.encode_output("probability", probabilities)
        return InferenceResponse(model_name=self.name, model_version=self.version, id=payload.id, outputs=[output])
