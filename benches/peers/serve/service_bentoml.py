"""BentoML: `bentoml serve service_bentoml:Scores`."""
import os

import bentoml

from scoring import Scorer


@bentoml.service(name="scores", workers=int(os.environ.get("WORKERS", "1")), traffic={"timeout": 60})
class Scores:
    def __init__(self):
        self.scorer = Scorer(os.environ["MODEL"])

    @bentoml.api
    def score(self, lead: dict) -> dict:
        return self.scorer.score(lead)
