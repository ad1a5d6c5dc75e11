"""A custom runtime of MLServer: one text, the lead as JSON, in; one text, the answer as JSON, out."""
import json
import os
import pathlib
import sys

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from scoring import Scorer  # noqa: E402


class Leads(MLModel):
    async def load(self) -> bool:
        self.scorer = Scorer(os.environ["MODEL"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (text,) = self.decode(payload.inputs[0], default_codec=StringCodec)
        answer = json.dumps(self.scorer.score(json.loads(text)))
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[StringCodec.encode_output("answer", [answer])])
