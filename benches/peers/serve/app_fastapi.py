"""FastAPI: `uvicorn app_fastapi:app`. Where `SCORING` is `by_hand`, without pandas."""
import os

from fastapi import FastAPI
from pydantic import BaseModel

from scoring import Scorer

scorer = Scorer(os.environ["MODEL"])
score = scorer.score_by_hand if os.environ.get("SCORING") == "by_hand" else scorer.score
app = FastAPI()


class Reason(BaseModel):
    feature: str
    contribution: float


class Answer(BaseModel):
    lead_id: str | None
    likelihood: float
    tier: str
    reasons: list[Reason]


class Question(BaseModel):
    lead: dict


# A plain function would run in a pool of threads, which compete for one interpreter: that is slower here.
@app.post("/score")
async def answer(question: Question) -> Answer:
    return score(question.lead)


@app.get("/healthz")
async def healthy():
    return {}
