"""Llamas whose feed-forward layers are mixtures of experts: Mixtral, Qwen, OLMoE, Granite."""

from __future__ import annotations

from typing import Any

from pimsim.oracle.blocks import Branch
from pimsim.oracle.experts import Experts, Router
from pimsim.oracle.families.llama import Granite, Llama, Mistral, Olmo2, Qwen2, Qwen3
from pimsim.oracle.feed_forward import Gated
from pimsim.oracle.linear import Linear
from pimsim.oracle.tensors import Tensors

EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


def gated_experts(family: Llama, tensors: Tensors, count: int, inner: int, names: tuple[str, str, str]) -> list[Gated]:
    """Experts stored as (gate, up, down) of their own under ``experts.N``, or all together in ``gate_up_proj`` and ``down_proj``."""
    width, act = family.sizes.width, family.activation()
    if tensors.has("experts.gate_up_proj"):
        both, down = (
            tensors.take("experts.gate_up_proj", count, 2 * inner, width),
            tensors.take("experts.down_proj", count, width, inner),
        )
        return [Gated(Linear(both[e, :inner]), Linear(both[e, inner:]), Linear(down[e]), act) for e in range(count)]
    found = []
    for expert in range(count):
        inside = tensors.below("experts", expert)
        gate, up = (inside.linear(name, inner, width) for name in names[:2])
        found.append(Gated(gate, up, inside.linear(names[2], width, inner), act))
    return found


PROJECTIONS = ("gate_proj", "up_proj", "down_proj")


class Mixtral(Mistral):
    """Softmax over all experts, the chosen weights renormalised."""

    eps_default = 1e-5
    mlp_name = "block_sparse_moe"
    expert_names = ("w1", "w3", "w2")

    def layer(self, layer: int) -> Branch:
        if not self.base.has(f"layers.{layer}.{self.mlp_name}.gate.weight"):
            self.mlp_name = "mlp"
        return super().layer(layer)

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        count, inner = self.config.integer(*EXPERTS, default=8), self.config.integer("intermediate_size")
        router = Router(tensors.linear("gate", count, self.sizes.width), self._chosen(count), renormalised=True)
        names = self.expert_names if self.mlp_name == "block_sparse_moe" else PROJECTIONS
        return Experts(router, gated_experts(self, tensors, count, inner, names))

    def _chosen(self, count: int) -> int:
        return chosen_of(self, count, 2)


class SparseLayers:
    """Mixture in every ``decoder_sparse_step``-th layer that ``mlp_only_layers`` does not list; else one of ``intermediate_size``."""

    def is_sparse(self: Any, layer: int) -> bool:
        """Whether a layer has experts."""
        step = self.config.integer("decoder_sparse_step", default=1)
        dense = self.config.items("mlp_only_layers", default=[])
        return layer not in dense and (layer + 1) % step == 0

    def routed(self: Any, tensors: Tensors, default_top: int, renormalised: bool) -> tuple[Router, list[Gated]]:
        """Router and experts of a layer."""
        count = self.config.integer(*EXPERTS)
        inner = self.config.integer("moe_intermediate_size", "intermediate_size")
        scores = tensors.linear("gate", count, self.sizes.width)
        renormalised = self.config.flag("norm_topk_prob", default=renormalised)
        router = Router(scores, chosen_of(self, count, default_top), renormalised=renormalised)
        return router, gated_experts(self, tensors, count, inner, PROJECTIONS)


class Qwen2Moe(SparseLayers, Qwen2):
    """A shared expert beside the chosen ones, weighted by a logistic gate of its own."""

    def biases(self) -> tuple[bool, bool]:
        return self.config.flag("qkv_bias", default=True), False

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        if not self.is_sparse(layer):
            return self.gated(tensors, self.config.integer("intermediate_size"))
        self.config.ignore("intermediate_size")
        router, experts = self.routed(tensors, 4, False)
        shared = self.gated(tensors.below("shared_expert"), self.config.integer("shared_expert_intermediate_size"))
        return Experts(router, experts, shared, tensors.linear("shared_expert_gate", 1, self.sizes.width))


class Qwen3Moe(SparseLayers, Qwen3):
    """Experts without a shared one."""

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        if not self.is_sparse(layer):
            return self.gated(tensors, self.config.integer("intermediate_size"))
        self.config.ignore("intermediate_size")
        return Experts(*self.routed(tensors, 8, False))


class OlMoE(SparseLayers, Olmo2):
    """Norms before the branches; q and k normed over their whole width."""

    def wired(self, layer: int, tensors: Tensors, attention: Branch, feed_forward: Branch) -> Branch:
        return Llama.wired(self, layer, tensors, attention, feed_forward)

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        return super().attention_parts(layer, tensors) | {"clip": self.config.number("clip_qkv", default=None)}

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        return Experts(*self.routed(tensors, 8, False))


class GraniteMoe(Granite):
    """Softmax over the chosen experts alone; all experts' matrices in two tensors; optionally a shared expert."""

    mlp_name = "block_sparse_moe"

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        attention = self.attention(layer, tensors.below(self.attention_name))
        return self.wired(layer, tensors, attention, self.experts(tensors))

    def experts(self, tensors: Tensors) -> Branch:
        """Routed experts with what is shared beside them."""
        count, inner, width = self.config.integer(*EXPERTS, default=8), self.config.integer("intermediate_size"), self.sizes.width
        inside, act = tensors.below("block_sparse_moe"), self.activation()
        both = inside.take("input_linear.weight", count, 2 * inner, width)
        down = inside.take("output_linear.weight", count, width, inner)
        experts = [Gated(Linear(both[e, :inner]), Linear(both[e, inner:]), Linear(down[e]), act) for e in range(count)]
        router = Router(inside.linear("router.layer", count, width), chosen_of(self, count, 2), among_chosen=True)
        return Experts(router, experts, self.shared(tensors))

    def shared(self, tensors: Tensors) -> Gated | None:
        """The shared expert of GraniteMoeShared; None without one."""
        inner, width = self.config.integer("shared_intermediate_size", default=0, least=0), self.sizes.width
        if not inner:
            return None
        both = tensors.below("shared_mlp").linear("input_linear", 2 * inner, width)
        down = tensors.below("shared_mlp").linear("output_linear", width, inner)
        return Gated(both.part(0, inner), both.part(inner, 2 * inner), down, self.activation())


def chosen_of(family: Llama, count: int, default: int) -> int:
    """Experts chosen for a token. Raises ConfigError for more than there are."""
    top = family.config.integer("num_experts_per_tok", "num_experts_per_token", default=default)
    if top > count:
        raise family.config.error("num_experts_per_tok", f"{top} of {count} experts cannot be chosen")
    return int(top)
