"""Ragas: its transforms and link builders make the graph, its synthesizers the samples.

The op of a job is one of three:

graph    A task is a passage, {"id", "text"}. Its record is what the transforms
         found: "summary", "summary_embedding", "themes", "entities", as far as
         there is something.
link     The one task is {"nodes": [{"id", "summary", "summary_embedding",
         "entities"}], "personas": how many}. Its record has "relationships", each
         with type, source, target, score and, of entities, items, and
         "personas", each with name and role_description.
samples  A task is a sample to make, see Order. Its record is the sample as
         Ragas' Testset writes it. The job shares "personas".

Prompts, graph queries and draws are Ragas' own. Draws follow from the seed of
their task. The instructions for summaries, themes, entities and personas get a
sentence more, as the parameter of their classes allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.metadata
import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

# Read when ragas is imported. "1" would not count.
os.environ["RAGAS_DO_NOT_TRACK"] = "true"

import numpy
from pydantic import BaseModel, ValidationError
from ragas.embeddings.base import BaseRagasEmbedding
from ragas.llms.base import InstructorBaseRagasLLM
from ragas.prompt import PydanticPrompt
from ragas.run_config import RunConfig
from ragas.testset.graph import KnowledgeGraph, Node, NodeType, Relationship
from ragas.testset.persona import Persona, PersonaGenerationPrompt, generate_personas_from_kg
from ragas.testset.synthesizers.base import BaseScenario, BaseSynthesizer, QueryLength, QueryStyle
from ragas.testset.synthesizers.multi_hop import (
    MultiHopAbstractQuerySynthesizer,
    MultiHopSpecificQuerySynthesizer,
)
from ragas.testset.synthesizers.single_hop.specific import SingleHopSpecificQuerySynthesizer
from ragas.testset.synthesizers.testset_schema import Testset, TestsetSample
from ragas.testset.transforms import (
    CosineSimilarityBuilder,
    EmbeddingExtractor,
    OverlapScoreBuilder,
    SummaryExtractor,
    apply_transforms,
)
from ragas.testset.transforms.extractors import NERExtractor
from ragas.testset.transforms.extractors.llm_based import ThemesExtractor
from ragas.tokenizers import BaseTokenizer

from channel import InputError, Job, Out, Task, exit_if_memory
from endpoint import Endpoint

Reply = TypeVar("Reply", bound=BaseModel)

# Facts are read as they stand, people and messages are to vary.
EXACT = 0.0
VARY = 0.9

# How often a reply that does not validate is asked for.
ATTEMPTS = 2

# The relationships of one type that are kept of a node, the strongest, and the
# pairs of entities that are kept of one.
MAX_EDGES = 8
MAX_PAIRS = 8

# The combinations of concepts that the abstract synthesizer asks for: one alone
# is often of a single passage.
COMBINATIONS = 3

IN_ITS_LANGUAGE = "Write in the language of the given text."
OF_CUSTOMERS = (
    "The persona is one of the people whom the content serves and who write to its assistant "
    "with a need of their own: a customer, a caller, a visitor, never staff, an expert or a "
    "writer of the content. The name says in two to five words who it is. "
    "Write in the language of the summary."
)

PACKAGES = ("langchain-core", "langchain-community", "numpy", "openai", "pydantic", "rapidfuzz")


def load() -> dict[str, str]:
    """Return the version of Ragas as "version", and those of packages by name."""
    found = {"version": importlib.metadata.version("ragas")}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def run(job: Job, out: Out) -> None:
    """Do the tasks of a job; a failure is that of its task."""
    if job.op == "link":
        # Ragas starts event loops of its own here.
        for task in job.tasks:
            with out.ending(task.id):
                out.record(task.id, link(task, job.endpoint, lambda step: out.progress(step, 3)))
        return
    personas = [Persona(**p) for p in job.shared.get("personas", [])]

    async def make(task: Task) -> dict[str, Any]:
        if job.op == "graph":
            return await extract(task, job.endpoint)
        if job.op == "samples":
            return await sample(task, job.endpoint, personas)
        raise InputError(f"no op {job.op!r}")

    asyncio.run(run_all(job, out, make))


async def run_all(job: Job, out: Out, make: Callable[[Task], Awaitable[dict[str, Any]]]) -> None:
    """Do all tasks side by side; the endpoint bounds the calls that are under way."""
    ended = 0

    async def one(task: Task) -> None:
        nonlocal ended
        with out.ending(task.id):
            out.record(task.id, await make(task))
        ended += 1
        out.progress(ended, len(job.tasks))

    await asyncio.gather(*(one(task) for task in job.tasks))


# What Ragas is given: a model, an embedder, a tokenizer.


class Model(InstructorBaseRagasLLM):
    """The endpoint as Ragas' model, for one task.

    The seed of a call follows from the task, the part of it, the prompt, and how
    often it was asked before: never from the order of calls. Where people are
    named, replies that map personas have exactly these keys.
    """

    is_async = True  # ragas awaits agenerate

    def __init__(
        self,
        endpoint: Endpoint,
        task: Task,
        part: str,
        temperature: float,
        people: Sequence[str] = (),
    ) -> None:
        self._endpoint = endpoint
        self._task = task
        self._part = part
        self._temperature = temperature
        self._people = people
        self._asked: Counter[str] = Counter()

    def generate(self, prompt: str, response_model: type[Reply]) -> Reply:
        text = self._endpoint.complete(prompt, **self._call(prompt, response_model))
        return response_model.model_validate_json(text)

    async def agenerate(self, prompt: str, response_model: type[Reply]) -> Reply:
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(ValidationError):
                return await self._agenerate(prompt, response_model)
        return await self._agenerate(prompt, response_model)

    async def _agenerate(self, prompt: str, response_model: type[Reply]) -> Reply:
        text = await self._endpoint.acomplete(prompt, **self._call(prompt, response_model))
        return response_model.model_validate_json(text)

    def _call(self, prompt: str, response_model: type[BaseModel]) -> dict[str, Any]:
        self._asked[prompt] += 1
        return {
            "schema": self._schema(response_model),
            "schema_name": response_model.__name__,
            "temperature": self._temperature,
            "seed": derive(self._task.seed, self._part, prompt, self._asked[prompt]),
            "task": self._task.id,
        }

    def _schema(self, response_model: type[BaseModel]) -> dict[str, Any]:
        schema = response_model.model_json_schema()
        mapping = schema.get("properties", {}).get("mapping", {})
        if self._people and "additionalProperties" in mapping:
            # A name that comes back altered is a KeyError in ragas.
            schema["properties"]["mapping"] = {
                "type": "object",
                "properties": {name: mapping["additionalProperties"] for name in self._people},
                "required": list(self._people),
                "additionalProperties": False,
            }
        return schema


class Embedder(BaseRagasEmbedding):
    """The endpoint as Ragas' embedder, for one task."""

    is_async = True  # ragas awaits aembed_text

    def __init__(self, endpoint: Endpoint, task: Task) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._task = task

    def embed_text(self, text: str, **kwargs: Any) -> list[float]:
        return self._endpoint.embed([text], task=self._task.id)[0]

    async def aembed_text(self, text: str, **kwargs: Any) -> list[float]:
        return (await self._endpoint.aembed([text], task=self._task.id))[0]


class Characters(BaseTokenizer):
    """A token for each character: passages are far below every limit.

    Ragas' own tokenizer needs a vocabulary, which it fetches.
    """

    def encode(self, text: str) -> list[int]:
        return [ord(c) for c in text]

    def decode(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))


def told(prompt: PydanticPrompt, sentence: str) -> PydanticPrompt:
    """Return a prompt of the same class whose instruction has a sentence more."""
    out = type(prompt)()
    out.instruction = f"{prompt.instruction} {sentence}"
    return out


def derive(*parts: Any) -> int:
    """Return a seed of 52 bits, which every JSON reader keeps."""
    digest = hashlib.sha256("\x00".join(map(str, parts)).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8]) >> 12


@contextlib.contextmanager
def drawn(seed: int) -> Iterator[None]:
    """Seed the generators that ragas draws from, and put them back.

    They are the process's, so nothing may be awaited meanwhile.
    """
    kept, kept_numpy = random.getstate(), numpy.random.get_state()
    random.seed(seed)
    numpy.random.seed(seed & 0xFFFFFFFF)
    try:
        yield
    finally:
        random.setstate(kept)
        numpy.random.set_state(kept_numpy)


def node_of(passage: str, properties: dict[str, Any]) -> Node:
    """Return the node of a passage. Its id follows from the passage's."""
    return Node(
        id=uuid.uuid5(uuid.NAMESPACE_URL, passage),
        type=NodeType.CHUNK,
        properties={"document_metadata": {"passage": passage}, **properties},
    )


def passage_of(node: Node) -> str:
    return node.properties["document_metadata"]["passage"]


# op graph


async def extract(task: Task, endpoint: Endpoint) -> dict[str, Any]:
    """Apply the transforms to a passage. What one of them cannot make is left out."""
    node = node_of(task.body["id"], {"page_content": task.body["text"]})

    def extractor(kind: Callable[..., Any], part: str) -> Any:
        out = kind(llm=Model(endpoint, task, part, EXACT), tokenizer=Characters())
        out.prompt = told(out.prompt, IN_ITS_LANGUAGE)
        return out

    async def apply(*steps: Any) -> None:
        for step in steps:
            name, value = await step.extract(node)
            if not value:
                return
            node.add_property(name, value)

    embedding = EmbeddingExtractor(
        property_name="summary_embedding",
        embed_property_name="summary",
        embedding_model=Embedder(endpoint, task),
    )
    results = await asyncio.gather(
        apply(extractor(SummaryExtractor, "summary"), embedding),
        apply(extractor(ThemesExtractor, "themes")),
        apply(extractor(NERExtractor, "entities")),
        return_exceptions=True,
    )
    names = ("summary", "summary_embedding", "themes", "entities")
    found = {name: node.get_property(name) for name in names if node.get_property(name)}
    failures = [r for r in results if isinstance(r, BaseException)]
    for failure in failures:
        exit_if_memory(failure)
        if not found:
            raise failure
        tell(task, failure)
    return found


def tell(task: Task, failure: BaseException) -> None:
    print(f"ragas: task {task.id}: {type(failure).__name__}: {failure}", file=sys.stderr)


# op link


def link(task: Task, endpoint: Endpoint, step_done: Callable[[int], None]) -> dict[str, Any]:
    """Build the relationships of a graph and its personas, as far as it has what
    they are made of. step_done tells of each step, as one can take long."""
    graph = KnowledgeGraph(
        nodes=[node_of(n["id"], {k: v for k, v in n.items() if k != "id" and v}) for n in task.body["nodes"]]
    )
    build(task, graph, "summary_embedding", lambda has: CosineSimilarityBuilder(
        property_name="summary_embedding",
        new_property_name="summary_similarity",
        threshold=0.7,
        filter_nodes=has,
    ))
    step_done(1)
    build(task, graph, "entities", lambda has: OverlapScoreBuilder(threshold=0.01, filter_nodes=has))
    step_done(2)
    relationships = strongest(graph.relationships)
    personas = personas_of(task, endpoint, graph)
    step_done(3)
    return {"relationships": relationships, "personas": [p.model_dump() for p in personas]}


def build(
    task: Task, graph: KnowledgeGraph, name: str, builder: Callable[[Callable[[Node], bool]], Any]
) -> None:
    def has(node: Node) -> bool:
        return bool(node.get_property(name))

    if sum(map(has, graph.nodes)) < 2:
        return
    try:
        apply_transforms(graph, builder(has), run_config=RunConfig(max_workers=1))
    except Exception as exc:  # a graph without them still serves
        exit_if_memory(exc)
        tell(task, exc)


def strongest(relationships: list[Relationship]) -> list[dict[str, Any]]:
    """Return the relationships as they are sent: the strongest of each node, in
    an order that does not depend on ragas' random ids."""
    sent = []
    for r in relationships:
        score = r.get_property("summary_similarity") or r.get_property("entities_overlap_score") or 0
        items = [list(pair) for pair in (r.get_property("overlapped_items") or [])[:MAX_PAIRS]]
        sent.append(
            {
                "type": r.type,
                "source": passage_of(r.source),
                "target": passage_of(r.target),
                "score": round(float(score), 7),
                "items": items,
            }
        )
    sent.sort(key=lambda r: (r["type"], -r["score"], r["source"], r["target"]))
    edges: Counter[tuple[str, str]] = Counter()
    kept = []
    for r in sent:
        ends = [(r["type"], r["source"]), (r["type"], r["target"])]
        if any(edges[end] < MAX_EDGES for end in ends):
            edges.update(ends)
            kept.append(r)
    return kept


def personas_of(task: Task, endpoint: Endpoint, graph: KnowledgeGraph) -> list[Persona]:
    """Return at most as many personas as are asked for, each name once.

    Ragas makes the missing ones of the same summary again, and gives them the
    same names.
    """
    wanted = int(task.body["personas"])
    found: dict[str, Persona] = {}
    model = Model(endpoint, task, "personas", 1.0)  # the temperature that ragas asks for
    for attempt in range(ATTEMPTS):
        try:
            with drawn(derive(task.seed, "personas", attempt)):
                made = generate_personas_from_kg(
                    graph,
                    model,
                    told(PersonaGenerationPrompt(), OF_CUSTOMERS),
                    num_personas=wanted,
                )
        except Exception as exc:
            exit_if_memory(exc)
            tell(task, exc)
            continue
        for persona in made:
            if persona.name.strip():
                found.setdefault(" ".join(persona.name.casefold().split()), persona)
        if len(found) >= min(wanted, len(graph.nodes)):
            break
    return list(found.values())[:wanted]


# op samples


@dataclass(frozen=True)
class Order:
    """A sample to make.

    nodes are the passages, each with id, text, themes and entities: one for a
    single-hop synthesizer, two or more for the others, which go together by link
    (a relationship as link() sends it, of the first two). persona is the index of
    the one to be preferred, style and length are names of ragas' enumerations,
    context is what ragas calls llm_context.
    """

    synthesizer: str
    nodes: list[dict[str, Any]]
    persona: int
    style: str
    length: str
    context: str
    link: dict[str, Any] | None = None


class Seeded:
    """A synthesizer that draws from a seed of its own.

    The draws are those of ragas, of all combinations there are: which of them is
    taken is decided by what the task asks for.
    """

    seed = 0

    def sample_combinations(self, data: Any, num_samples: int) -> Any:
        with drawn(self.seed):
            return super().sample_combinations(data, max(num_samples, room(data)))

    def sample_diverse_combinations(self, data: Any, num_samples: int) -> Any:
        with drawn(self.seed):
            return super().sample_diverse_combinations(data, max(num_samples, room(data)))


def room(data: list[dict[str, Any]]) -> int:
    """How many combinations there are."""
    return sum(
        max(1, len(d.get("terms", ()))) * len(d["personas"]) * len(d["styles"]) * len(d["lengths"])
        for d in data
    )


class SingleHopSpecific(Seeded, SingleHopSpecificQuerySynthesizer):
    pass


class MultiHopSpecific(Seeded, MultiHopSpecificQuerySynthesizer):
    pass


class MultiHopAbstract(Seeded, MultiHopAbstractQuerySynthesizer):
    pass


SYNTHESIZERS: dict[str, type] = {
    kind.name: kind for kind in (SingleHopSpecific, MultiHopSpecific, MultiHopAbstract)
}


async def sample(task: Task, endpoint: Endpoint, personas: list[Persona]) -> dict[str, Any]:
    """Make one sample: a scenario of the real synthesizer on a graph of the task's
    passages alone, dressed as ordered, and the question and answer for it."""
    order = Order(**task.body)
    kind = SYNTHESIZERS.get(order.synthesizer)
    if kind is None:
        raise InputError(f"no synthesizer {order.synthesizer!r}")
    if not personas:
        raise InputError("no personas")
    graph = graph_of(order)
    # Short names come back as they were; the role says the real one.
    keys = [
        Persona(name=f"P{i}", role_description=f"{p.name}: {p.role_description}")
        for i, p in enumerate(personas, 1)
    ]
    synthesizer = kind(
        llm=Model(endpoint, task, "sample", VARY, [k.name for k in keys]),
        llm_context=order.context,
    )
    synthesizer.seed = derive(task.seed, "draw")
    if kind is SingleHopSpecific and not graph.nodes[0].get_property("entities"):
        # Prose without names: ragas would make no scenario of it.
        synthesizer.property_name = "themes"
    scenario = await scenario_of(task, order, synthesizer, graph, keys)
    scenario.persona = personas[[k.name for k in keys].index(scenario.persona.name)]
    scenario.style = member(QueryStyle, order.style)
    scenario.length = member(QueryLength, order.length)
    made = await synthesizer.generate_sample(scenario)
    # Up to 0.4.3 multi-hop samples lack what single-hop samples say.
    made.persona_name = scenario.persona.name
    made.query_style = scenario.style.name
    made.query_length = scenario.length.name
    made.reference_context_ids = [passage_of(n) for n in scenario.nodes]
    wrapped = TestsetSample(eval_sample=made, synthesizer_name=synthesizer.name)
    return Testset(samples=[wrapped]).to_list()[0]


def member(kind: Any, name: str) -> Any:
    try:
        return kind[name]
    except KeyError:
        raise InputError(f"{kind.__name__} has no {name!r}") from None


def graph_of(order: Order) -> KnowledgeGraph:
    nodes = [
        node_of(n["id"], {"page_content": n["text"], "themes": n.get("themes") or [], "entities": n.get("entities") or []})
        for n in order.nodes
    ]
    if not nodes or (order.link is not None and len(nodes) < 2):
        raise InputError("too few passages")
    graph = KnowledgeGraph(nodes=nodes)
    if order.link is not None:
        # Ragas makes relationships anew, with a random id, whose source does not
        # have the smaller id.
        source, target = sorted(nodes[:2], key=lambda n: n.id)
        properties = {"summary_similarity": order.link["score"]}
        if order.link["type"] != "summary_similarity":
            properties = {
                "entities_overlap_score": order.link["score"],
                "overlapped_items": [tuple(pair) for pair in order.link["items"]],
            }
        graph.relationships.append(
            Relationship(
                id=uuid.uuid5(source.id, f"{order.link['type']} {target.id}"),
                type=order.link["type"],
                source=source,
                target=target,
                bidirectional=True,
                properties=properties,
            )
        )
    return graph


async def scenario_of(
    task: Task, order: Order, synthesizer: BaseSynthesizer, graph: KnowledgeGraph, personas: list[Persona]
) -> BaseScenario:
    """Return a scenario of all passages, of the ordered persona if it fits."""
    multi = order.link is not None
    preferred = personas[order.persona % len(personas)]
    try:
        scenarios = await synthesizer.generate_scenarios(COMBINATIONS if multi else 1, graph, personas)
    except Exception as exc:
        # Such as a mapping that the model cannot make. If it is the end of all
        # calls, the sample's own call says so.
        exit_if_memory(exc)
        tell(task, exc)
        scenarios = []
    # Those of all passages come first, then those of the persona.
    scenarios.sort(key=lambda s: (-len(set(s.nodes)), s.persona.name != preferred.name))
    scenario = scenarios[0] if scenarios else spare(order, synthesizer, graph, preferred)
    if multi:
        # Ragas leaves out passages in which no term of the combination stands as
        # it is written there: with them a question would lose its second hop.
        scenario.nodes = list(graph.nodes)
    return scenario


def spare(
    order: Order, synthesizer: Any, graph: KnowledgeGraph, persona: Persona
) -> BaseScenario:
    """Return a scenario where ragas made none, such as of terms that are nobody's."""
    rng = random.Random(derive(synthesizer.seed, "spare"))
    dress = {"persona": persona, "style": member(QueryStyle, order.style), "length": member(QueryLength, order.length)}
    if order.link is None:
        terms = graph.nodes[0].get_property(synthesizer.property_name)
        if not terms:
            raise InputError("the passage has no terms")
        return synthesizer.convert_to_scenario({"node": graph.nodes[0], "term": rng.choice(terms), **dress})
    terms = list(rng.choice(order.link["items"])) if order.link["items"] else [
        rng.choice(themes) for n in graph.nodes if (themes := n.get_property("themes"))
    ]
    return synthesizer.convert_to_scenario({"nodes": graph.nodes, "combination": terms, **dress})
