"""Runs DeepEval's Synthesizer: for each task one context of passages, one golden.

The body of a task:

    contexts     the texts of the passages
    files        the name of the document of each
    evolution    the one that the input goes through, "" for none
    scenario, task, input_format, expected_output_format
                 the styling; the names are DeepEval's
    threshold    the critic's score from which an input passes, 0 to 1
    temperature  of the calls that write; the critic's is always 0

A record is a golden of DeepEval with all its keys. A task whose model writes no
input has none.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any

from channel import InputError
from endpoint import Endpoint

if TYPE_CHECKING:
    from channel import Job, Out, Task

OP = "goldens"


def load() -> dict[str, str]:
    """Import DeepEval with its telemetry, settings files and stores off."""
    home = os.path.join(os.getcwd(), "deepeval")
    os.environ.update(
        DEEPEVAL_TELEMETRY_OPT_OUT="1",
        DEEPEVAL_DISABLE_DOTENV="1",
        DEEPEVAL_DISABLE_LEGACY_KEYFILE="1",
        DEEPEVAL_HOME=home,
        DEEPEVAL_CACHE_FOLDER=home,
        CONFIDENT_TRACING_ENABLED="NO",
    )
    import deepeval.synthesizer  # noqa: F401

    return {
        "version": metadata.version("deepeval"),
        "openai": metadata.version("openai"),
        "pydantic": metadata.version("pydantic"),
    }


def run(job: Job, out: Out) -> None:
    """Make the goldens, as many at once as the job allows.

    A task's calls come one after another, so that this is also the number of
    calls under way.
    """
    asyncio.run(_run(job, out))


async def _run(job: Job, out: Out) -> None:
    # Two bars at once are an error of rich, wherever they are shown.
    slots = asyncio.Semaphore(job.concurrency if _hide_progress() else 1)
    ended = 0

    async def one(task: Task) -> None:
        nonlocal ended
        async with slots:
            with out.ending(task.id):
                if job.op != OP:
                    raise InputError(f"the operation is {job.op!r}")
                for record in await _goldens(job.endpoint, task):
                    out.record(task.id, record)
        ended += 1
        out.progress(ended, len(job.tasks))

    await asyncio.gather(*(one(task) for task in job.tasks))


async def _goldens(endpoint: Endpoint, task: Task) -> list[dict[str, Any]]:
    from deepeval.synthesizer import Evolution, Synthesizer
    from deepeval.synthesizer.config import EvolutionConfig, FiltrationConfig, StylingConfig

    body = task.body
    contexts, files = body["contexts"], body["files"]
    if not contexts:
        raise InputError("no passage of the documents is about the item")
    evolutions = {Evolution(body["evolution"]): 1.0} if body["evolution"] else {}
    sources = list(dict.fromkeys(files))
    model = _model_type()
    synthesizer = Synthesizer(
        model=model(endpoint, task, body["temperature"]),
        async_mode=True,
        max_concurrent=1,
        filtration_config=FiltrationConfig(
            synthetic_input_quality_threshold=body["threshold"],
            critic_model=model(endpoint, task, 0.0),
        ),
        # One evolution to draw from: nothing is left to the draw.
        evolution_config=EvolutionConfig(num_evolutions=len(evolutions), evolutions=evolutions),
        styling_config=StylingConfig(
            scenario=body["scenario"],
            task=body["task"],
            input_format=body["input_format"],
            expected_output_format=body["expected_output_format"],
        ),
    )
    goldens = await synthesizer.a_generate_goldens_from_contexts(
        contexts=[contexts],
        include_expected_output=True,
        max_goldens_per_context=1,
        # A list says that the passages are of several files, and is told the model.
        source_files=[sources if len(sources) > 1 else sources[0]],
        context_chunk_source_files=[files],
    )
    return [golden.model_dump(mode="json") for golden in goldens]


class EmptyReplyError(RuntimeError):
    """A reply of the model without a text, where the text is what counts."""


@functools.cache
def _model_type() -> type:
    """Return the class of the models that DeepEval is given.

    It is DeepEval's subclass, which cannot be named before the import.
    """
    from deepeval.models import DeepEvalBaseLLM
    from deepeval.synthesizer.schema import Response

    class EndpointModel(DeepEvalBaseLLM):
        """The job's model, for one task.

        Its name is none that DeepEval knows, so that it looks for no prices.
        """

        def __init__(self, endpoint: Endpoint, task: Task, temperature: float) -> None:
            self._endpoint = endpoint
            self._task = task
            self._temperature = temperature
            super().__init__("casebook")

        def load_model(self) -> EndpointModel:
            return self

        def get_model_name(self) -> str:
            return self.name

        def generate(self, prompt: str, schema: type | None = None) -> Any:
            return _read(self._endpoint.complete(prompt, **self._how(schema)), schema)

        async def a_generate(self, prompt: str, schema: type | None = None) -> Any:
            return _read(await self._endpoint.acomplete(prompt, **self._how(schema)), schema)

        def _how(self, schema: type | None) -> dict[str, Any]:
            how = {"temperature": self._temperature, "seed": self._task.seed, "task": self._task.id}
            if schema not in (None, Response):
                how |= {"schema": schema.model_json_schema(), "schema_name": schema.__name__}
            return how

    def _read(text: str, schema: type | None) -> Any:
        if schema not in (None, Response):
            try:
                return schema.model_validate_json(text)
            except TypeError as exc:  # DeepEval takes one as "knows no schemas" and asks again
                raise ValueError(f"the reply is no {schema.__name__}: {exc}") from exc
        # DeepEval asks models of its own for a text here, and its prompts do too.
        text = text.strip()
        if not text:
            raise EmptyReplyError("the model replied with an empty text")
        return text if schema is None else Response(response=text)

    return EndpointModel


def _hide_progress() -> bool:
    """Take the progress bars away, and the 0.1 s that it takes to remove each.

    False where DeepEval has no such names; its bars then go to standard error.
    """
    import deepeval.synthesizer.synthesizer as module
    from rich.progress import Progress

    if not (hasattr(module, "synthesizer_progress_context") and hasattr(module, "remove_pbars")):
        return False

    @contextmanager
    def hidden(*_: Any, progress: Progress | None = None, pbar_id: Any = None, **__: Any) -> Iterator[tuple[Progress, Any]]:
        progress = progress or Progress(disable=True)
        yield progress, progress.add_task("") if pbar_id is None else pbar_id

    module.synthesizer_progress_context = hidden
    module.remove_pbars = lambda *_, **__: None
    return True
