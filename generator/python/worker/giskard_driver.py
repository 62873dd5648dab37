"""Runs Giskard's RAGET: one question of one type for each task.

What the tasks of a job share is the knowledge base:

    passages   [{"id", "text", "topic"}]: all of the documents

The body of a task:

    type         the type of question, as Giskard calls it
    context      the ids of the passages that the question is to be about, the
                 seed document first
    distraction  the id of the passage that distracts; "" for none
    language     to write in
    agent        the description of the agent, which all prompts hold

A record is Giskard's question, with all of its keys. Its id follows from the
rest of it. Its topic is that of the seed document.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from channel import InputError
from endpoint import Endpoint, EndpointError

if TYPE_CHECKING:
    from channel import Job, Out, Task

PACKAGES = ("numpy", "pandas", "faiss-cpu", "scikit-learn", "umap-learn", "pydantic")

OP = "questions"

# How many texts one request for vectors holds.
EMBEDDING_BATCH = 64

# How many vectors tell one embedder from another.
PROBE = 4


def load() -> dict[str, str]:
    """Import Giskard, quiet and alone; return its version and those it rests on."""
    here = os.getcwd()
    os.environ.update(
        {
            "GSK_DISABLE_ANALYTICS": "True",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": here,
            "HF_HOME": here,
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_DATASETS_OFFLINE": "1",
            "TQDM_DISABLE": "1",
            # The import alone would compile UMAP, which nothing here runs: 5 to
            # 12 seconds and 150 MB.
            "NUMBA_DISABLE_JIT": "1",
            "NUMBA_CACHE_DIR": here,
            # The tasks are what runs side by side.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
    )
    import faiss  # noqa: F401  else the first job waits for it
    import giskard
    import giskard.rag  # noqa: F401  the slow part

    log = logging.getLogger("giskard")
    log.propagate = False  # its messages hold the document
    log.addHandler(_Failures())

    versions = {"version": giskard.__version__}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return versions


def run(job: Job, out: Out) -> None:
    """Make a question for each task, as many at once as the job allows."""
    if job.op != OP:
        raise ValueError(f"op {job.op!r} is unknown")
    maker = _Maker(job)
    with ThreadPoolExecutor(max(1, job.concurrency), "task") as pool:
        list(pool.map(lambda task: maker.task(task, out), job.tasks))


@dataclass
class _Turn:
    """The task that a thread has under way."""

    task: Task
    endpoint: Endpoint
    calls: int = 0
    failure: BaseException | None = None  # the first; Giskard itself logs it and goes on

    def fail(self, failure: BaseException) -> None:
        self.failure = self.failure or failure


# Giskard's generators share one client and one knowledge base; what they are
# asked is told apart by the thread that asks.
_turn: ContextVar[_Turn] = ContextVar("turn")


class _Failures(logging.Handler):
    """Keeps the exceptions that Giskard logs in place of raising them."""

    def emit(self, record: logging.LogRecord) -> None:
        turn = _turn.get(None)
        if turn and record.exc_info and record.exc_info[1]:
            turn.fail(record.exc_info[1])


class _Maker:
    """Makes the questions of a job."""

    def __init__(self, job: Job) -> None:
        from giskard.rag import question_generators as types

        self._endpoint = job.endpoint
        self._generators = {
            "simple": types.simple_questions,
            "complex": types.complex_questions,
            "distracting element": types.distracting_questions,
            "situational": types.situational_questions,
            "double": types.double_questions,
            "conversational": types.conversational_questions,
            "out of scope": types.oos_questions,
        }
        self._kb: Any = None
        self._failure: EndpointError | None = None
        try:
            self._kb = _knowledge_base(job)
        except EndpointError as exc:  # without vectors there are no contexts
            self._failure = exc

    def task(self, task: Task, out: Out) -> None:
        with out.ending(task.id):
            if self._failure:
                raise self._failure
            out.record(task.id, self._question(task))

    def _question(self, task: Task) -> dict[str, Any]:
        from giskard.rag import generate_testset

        generator = self._generators.get(task.body["type"])
        if generator is None:
            raise InputError(f"{task.body['type']!r} is no type of question")
        self._kb.check(task.body)
        turn = _Turn(task, self._endpoint)
        token = _turn.set(turn)
        try:
            testset = generate_testset(
                self._kb,
                num_questions=1,
                question_generators=[generator],
                language=task.body["language"],
                agent_description=task.body["agent"],
            )
        except Exception as exc:  # a test set of no question fails as it is made
            raise turn.failure or exc from exc
        finally:
            _turn.reset(token)
        if turn.failure:  # a stand-in was put where the model's part should be
            raise turn.failure
        record = testset.samples[0].to_dict()
        record["id"] = _identity(record)
        return record


def _identity(record: dict[str, Any]) -> str:
    """Return an id in the form of Giskard's that follows from the rest."""
    rest = {key: value for key, value in record.items() if key != "id"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=True)
    return str(uuid.UUID(bytes=hashlib.sha256(text.encode()).digest()[:16]))


# The knowledge base of the last job, what it was made of and some of its vectors:
# the jobs of a call share theirs.
_last: tuple[str, list[list[float]], Any] = ("", [], None)


def _knowledge_base(job: Job) -> Any:
    global _last
    made_of = json.dumps([job.endpoint.embedding_model, job.shared], ensure_ascii=True)
    key = hashlib.sha256(made_of.encode()).hexdigest()
    texts = [p["text"] for p in job.shared["passages"]]
    # Embedders need have no name, so that another one may be behind the endpoint.
    if _last[0] != key or _embed(job.endpoint, texts[:PROBE]) != _last[1]:
        vectors = _embed(job.endpoint, texts)
        _last = (key, vectors[:PROBE], _make_knowledge_base(job.shared["passages"], vectors))
    return _last[2]


def _make_knowledge_base(passages: list[dict[str, str]], vectors: list[list[float]]) -> Any:
    import numpy as np
    import pandas as pd
    from giskard.llm import set_default_client
    from giskard.llm.embeddings.base import BaseEmbedding
    from giskard.rag import KnowledgeBase

    texts = [p["text"] for p in passages]
    rows = dict(zip(texts, vectors))

    class Vectors(BaseEmbedding):
        """The vectors of the passages, all of which are asked for at once."""

        def embed(self, texts: Sequence[str]) -> np.ndarray:
            if isinstance(texts, str):
                texts = [texts]
            return np.array([rows[text] for text in texts], dtype=np.float32)

    class Passages(KnowledgeBase):
        """The passages of the documents. Each task has its own seed and context.

        Nothing is drawn here, and topics are not looked for: a projection and a
        call for each name would come before every question, and the headings name
        the topics already.
        """

        def __init__(self) -> None:
            super().__init__(
                pd.DataFrame({"text": texts}, index=[p["id"] for p in passages]),
                columns=["text"],
                seed=0,
                llm_client=client,
                embedding_model=Vectors(),
            )
            names = sorted({p["topic"] for p in passages} - {""})
            self._names = {-1: "Others", **dict(enumerate(names))}
            for p in passages:
                self[p["id"]].topic_id = names.index(p["topic"]) if p["topic"] else -1
            # Has vectors and index made before threads use them.
            self.similarity_search_with_score(texts[0], 1)

        @property
        def topics(self) -> dict[int, str]:
            return self._names

        def check(self, body: dict[str, Any]) -> None:
            wanted = [*body["context"], *([body["distraction"]] if body["distraction"] else [])]
            for wanted_id in wanted:
                try:
                    self[wanted_id]
                except KeyError:
                    raise InputError(f"there is no passage {wanted_id!r}") from None
            if not body["context"]:
                raise InputError("the task has no passage")

        def get_random_document(self) -> Any:
            body = _turn.get().task.body
            if not body["distraction"]:
                raise InputError("the task has no passage that distracts")
            return self[body["distraction"]]

        def get_random_documents(self, n: int, with_replacement: bool = False) -> list[Any]:
            return [self[_turn.get().task.body["context"][0]]] * n

        def get_neighbors(
            self, seed_document: Any, n_neighbors: int = 4, similarity_threshold: float = 0.2
        ) -> list[Any]:
            """Return the task's passages, then Giskard's own neighbours of the seed."""
            body = _turn.get().task.body
            found = {passage_id: self[passage_id] for passage_id in body["context"]}
            for near in super().get_neighbors(seed_document, n_neighbors, similarity_threshold):
                if near.id != body["distraction"]:
                    found.setdefault(near.id, near)
            return list(found.values())[: max(n_neighbors, len(body["context"]))]

    client = _client()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        # The generators that make the first question of others take this one.
        set_default_client(client)
    return Passages()


def _embed(endpoint: Endpoint, texts: list[str]) -> list[list[float]]:
    """Return vectors of unit length, which Giskard's threshold is meant for."""
    batches = [texts[i : i + EMBEDDING_BATCH] for i in range(0, len(texts), EMBEDDING_BATCH)]
    with ThreadPoolExecutor(endpoint.concurrency, "embed") as pool:
        rows = [row for batch in pool.map(endpoint.embed, batches) for row in batch]
    return [_unit(row) for row in rows]


def _unit(row: list[float]) -> list[float]:
    length = sum(x * x for x in row) ** 0.5
    return [x / length for x in row] if length > 0 else row


def _client() -> Any:
    from giskard.llm.client import ChatMessage, LLMClient

    class Client(LLMClient):
        """The model of the task under way. Each call has a seed of its own."""

        def complete(
            self,
            messages: Sequence[ChatMessage],
            temperature: float = 1,
            max_tokens: int | None = None,
            caller_id: str | None = None,
            seed: int | None = None,
            format: Any = None,
        ) -> ChatMessage:
            turn = _turn.get()
            form = _form(caller_id, turn.calls)
            try:
                text = turn.endpoint.complete(
                    [{"role": m.role, "content": m.content or ""} for m in messages],
                    schema=form.schema if form else None,
                    schema_name=form.name if form else None,
                    json_object=form is None and format is not None,
                    temperature=temperature,
                    max_tokens=max_tokens,
                    seed=turn.task.seed + turn.calls,
                    task=turn.task.id,
                )
            except EndpointError as exc:
                turn.fail(exc)
                raise
            finally:
                turn.calls += 1
            return ChatMessage(role="assistant", content=form.content(text) if form else _plain(text))

        def get_config(self) -> dict[str, str]:
            return {}

    return Client()


@dataclass(frozen=True)
class _Form:
    """The form of a reply, which Giskard's prompts ask for in words."""

    name: str
    keys: tuple[str, ...]
    pairs: bool = False  # a list of two such objects

    @property
    def schema(self) -> dict[str, Any]:
        one = _object({key: {"type": "string", "minLength": 1} for key in self.keys})
        if not self.pairs:
            return one
        # Servers take a schema of an object only.
        return _object({"pairs": {"type": "array", "items": one, "minItems": 2, "maxItems": 2}})

    def content(self, text: str) -> str:
        """Return the reply as Giskard reads it."""
        if not self.pairs:
            return text
        return json.dumps(json.loads(text)["pairs"], ensure_ascii=False)


def _plain(text: str) -> str:
    """Return the text that a reply in JSON holds, any other reply as it is.

    What is asked for a situation is shown an example of another step, in JSON.
    """
    try:
        reply = json.loads(text)
    except ValueError:
        return text.strip()
    values = list(reply.values()) if isinstance(reply, dict) else [reply]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else text.strip()


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_PAIR = _Form("pair", ("question", "answer"))
_QUESTION = _Form("question", ("question",))
_FORMS = {
    "SimpleQuestionsGenerator": _PAIR,
    "ComplexQuestionsGenerator": _QUESTION,
    "DistractingQuestionsGenerator": _QUESTION,
    "SituationalQuestionsGenerator": _QUESTION,
    "DoubleQuestionsGenerator": _PAIR,
    "ConversationalQuestionsGenerator": _Form("turns", ("introduction", "question")),
    "OutOfScopeGenerator": _Form("beyond", ("selected_fact", "fake_fact", "question")),
}


def _form(caller_id: str | None, calls: int) -> _Form | None:
    """Return the form of a caller's reply; None for a text, and for strangers.

    The first of the two calls of a double question asks for its halves.
    """
    if caller_id == "DoubleQuestionsGenerator" and calls == 0:
        return _Form("pairs", _PAIR.keys, pairs=True)
    return _FORMS.get(caller_id or "")
