"""The models that a strategy keeps resident, as graphs: drafts, a layer of the target's shape, extra heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pimsim.config.decoder.model import DecoderSpec
from pimsim.config.load import load_workload
from pimsim.decoding.residents import Draft, ExtraHeads, FirstLayers, OneLayer
from pimsim.decoding.strategy import Strategy
from pimsim.errors import RequestError
from pimsim.workload.graph import Collector, GraphSection
from pimsim.workload.kinds.activation import ActivationShape
from pimsim.workload.kinds.residual import ResidualShape
from pimsim.workload.kinds.select import SelectShape
from pimsim.workload.model import DecoderModel
from pimsim.workload.ops import SECTION_INPUT, Tensor
from pimsim.workload.parts.linear import linear


@dataclass(frozen=True, init=False)
class HeadsModel(DecoderModel):
    """``heads`` heads on the last hidden state: a product of width x width, SiLU and a sum, then a product to the vocabulary.

    All run in a step, or only one where they are ``sequential`` and a step is a level of the tree. They keep nothing.
    """

    heads: int
    sequential: bool

    def __init__(self, spec: DecoderSpec, heads: int, sequential: bool) -> None:
        super().__init__(spec.model_copy(update={"encoder": None}))
        object.__setattr__(self, "heads", heads)
        object.__setattr__(self, "sequential", sequential)

    @cached_property
    def _one(self) -> Collector:
        graph, width, vocabulary = Collector(), self.spec.d_model, self.spec.vocabulary
        block = linear(graph, "head_block", SECTION_INPUT, width, width)
        act = graph.op("head_silu", "activation", block, ActivationShape(width, "silu"))
        total = graph.op("head_residual", "residual", (act, SECTION_INPUT), ResidualShape(width))
        graph.op("head_select", "select", linear(graph, "head_logits", total, width, vocabulary), SelectShape(vocabulary))
        return graph

    def sections(self, stack: str = "decoder") -> tuple[GraphSection, ...]:
        """One section, repeated for each head that runs."""
        return self._sections

    @cached_property
    def _sections(self) -> tuple[GraphSection, ...]:
        layers = (0,) if self.sequential else tuple(range(self.heads))
        return (GraphSection("heads", tuple(self._one.ops), layers, "all", "head"),)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:  # type: ignore[override]
        """The matrices of all heads."""
        return tuple(
            Tensor(f"head{head}.{one.name}", one.outputs, one.inputs, one.use)
            for head in range(self.heads)
            for one in self._one.tensors
        )

    @property
    def caches(self) -> tuple[()]:  # type: ignore[override]
        """Nothing is kept."""
        return ()


def resident_models(strategy: Strategy, target: DecoderModel) -> list[DecoderModel | None]:
    """The target and each resident; None for one that is a part of the target itself.

    Raises RequestError where models do not fit together, or a strategy needs what is not modelled.
    """
    found: list[DecoderModel | None] = [target]
    for wanted in strategy.residents():
        found.append(_model(wanted, target))
    strategy.check_target(target.spec.layers)
    _refuse_states(strategy, [model for model in found if model is not None])
    return found


def _model(wanted: Draft | FirstLayers | ExtraHeads | OneLayer, target: DecoderModel) -> DecoderModel | None:
    spec = target.spec
    if isinstance(wanted, FirstLayers):
        if wanted.layers >= spec.layers:
            raise RequestError(f"layers: {wanted.layers} cannot draft for a target of {spec.layers}; must be fewer")
        return None
    if isinstance(wanted, ExtraHeads):
        return HeadsModel(spec, wanted.heads, wanted.sequential)
    if isinstance(wanted, OneLayer):
        return _one_layer(target)
    if wanted.together > 1:
        raise RequestError(
            f"together: {wanted.together} layers of the draft side by side need groups of channels, which no mapping has; 1 runs them in turn"
        )
    draft = DecoderModel(load_workload(wanted.model).model)
    if draft.spec.vocabulary != spec.vocabulary:
        raise RequestError(
            f"draft '{wanted.model}' has a vocabulary of {draft.spec.vocabulary}; the target's is {spec.vocabulary}"
        )
    return draft


def _one_layer(target: DecoderModel) -> DecoderModel:
    if target.spec.encoder is not None:
        raise RequestError("a draft layer over the target's hidden states is modelled for decoders without an encoder only")
    return DecoderModel(target.spec.model_copy(update={"layers": 1}))


def _refuse_states(strategy: Strategy, models: Sequence[DecoderModel]) -> None:
    if strategy.rolls_back and any(cache.use == "state" for model in models for cache in model.caches):
        raise RequestError(
            f"strategy {strategy.name} drops tokens: a state-space model would have to keep the state of each, which is not modelled"
        )
