"""Attention among state spaces: Jamba, Bamba, Granite 4, Falcon-H1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pimsim.oracle.arrays import Floats
from pimsim.oracle.attention import Attention
from pimsim.oracle.blocks import Branch, Layer, Parallel, Residual, Scaled
from pimsim.oracle.decoder import Embedding, Head
from pimsim.oracle.experts import Experts, Router
from pimsim.oracle.families.llama import Llama
from pimsim.oracle.families.mambas import MixerSizes, gated_rms, mamba, mamba2
from pimsim.oracle.families.mixtures import PROJECTIONS, GraniteMoe, chosen_of, gated_experts
from pimsim.oracle.feed_forward import Gated
from pimsim.oracle.functions import silu
from pimsim.oracle.norms import rms_norm
from pimsim.oracle.rotary import Rotary
from pimsim.oracle.tensors import Tensors


class Jamba(Llama):
    """Mamba with norms on step size, B and C; attention without rotation every so often; experts in some layers."""

    second_norm, final_norm, mlp_name = "pre_ff_layernorm", "final_layernorm", "feed_forward"

    def rotary(self, layer: int) -> Rotary | None:
        return None

    def _every(self, what: str, layer: int, period: int, offset: int) -> bool:
        period = self.config.integer(f"{what}_layer_period", default=period)
        return layer % period == self.config.integer(f"{what}_layer_offset", default=offset, least=0)  # type: ignore[no-any-return]

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        here = self._every("attn", layer, 8, 4)
        mixer = self.attention(layer, tensors.below("self_attn")) if here else self.mamba(tensors.below("mamba"))
        return self.wired(layer, tensors, mixer, self.feed_forward(layer, tensors.below("feed_forward")))

    def mamba(self, tensors: Tensors) -> Branch:
        """The state space of a layer."""
        config, width = self.config, self.sizes.width
        inner, states = config.integer("mamba_expand", default=2) * width, config.integer("mamba_d_state", default=16)
        rank = config.values.get("mamba_dt_rank", "auto")
        config.ignore("mamba_dt_rank")
        rank = -(-width // 16) if rank == "auto" else config.integer("mamba_dt_rank")
        sizes = {"dt": rank, "b": states, "c": states}
        first, second, third = (rms_norm(tensors, f"{name}_layernorm", size, self.eps) for name, size in sizes.items())
        return mamba(tensors, mixer_sizes(self, inner, 16), rank, self.activation(), (first, second, third))

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        inner, count = (
            self.config.integer("intermediate_size"),
            self.config.integer("num_experts", "num_local_experts", default=16),
        )
        if not self._every("expert", layer, 2, 1) or count == 1:
            return self.gated(tensors, inner)
        router = Router(tensors.linear("router", count, self.sizes.width), chosen_of(self, count, 2))
        return Experts(router, gated_experts(self, tensors, count, inner, PROJECTIONS))


class Bamba(Llama):
    """Mamba-2 layers, attention where ``attn_layer_indices`` says; half of each head rotates."""

    second_norm, final_norm, mlp_name, partial, eps_default = "pre_ff_layernorm", "final_layernorm", "feed_forward", 0.5, 1e-5

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        here = layer in self.config.items("attn_layer_indices", default=[])
        mixer = self.attention(layer, tensors.below("self_attn")) if here else mamba2_of(self, tensors.below("mamba"))
        return self.wired(layer, tensors, mixer, self.feed_forward(layer, tensors.below("feed_forward")))


class GraniteHybrid(GraniteMoe):
    """Mamba-2 and attention layers, each with a shared feed-forward and, if there are any, experts; no rotation by default."""

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        kinds = self.config.items("layer_types", "layers_block_type", default=["mamba"] * self.sizes.layers)
        attention = kinds[layer] in ("attention", "full_attention")
        if not attention and kinds[layer] not in ("mamba", "linear_attention"):
            raise self.config.error("layer_types", f"{kinds[layer]!r} is not understood; allowed: 'mamba', 'attention'")
        mixer = self.attention(layer, tensors.below("self_attn")) if attention else mamba2_of(self, tensors.below("mamba"))
        count = self.config.integer("num_local_experts", default=8, least=0)
        shared = self.shared(tensors)
        self.config.ignore("num_experts_per_tok", "intermediate_size")
        feed_forward = self.experts(tensors) if count else shared
        assert feed_forward is not None
        return self.wired(layer, tensors, mixer, feed_forward)

    def rotary(self, layer: int) -> Rotary | None:
        kind = self.config.text("position_embedding_type", default=None)
        if kind not in (None, "rope", "nope"):
            raise self.config.error("position_embedding_type", f"'{kind}' is not understood; allowed: 'rope', 'nope'")
        self.config.ignore("rope_theta", "rope_parameters", "rope_scaling")
        return super().rotary(layer) if kind == "rope" else None


def mamba2_of(family: Llama, tensors: Tensors, scales: Floats | None = None, gated_norm: Any = None) -> Branch:
    """A Mamba-2 mixer whose keys begin with ``mamba_``."""
    config, width = family.config, family.sizes.width
    heads, groups = config.integer("mamba_n_heads", default=128), config.integer("mamba_n_groups", default=1)
    inner = config.integer("mamba_d_ssm", default=config.integer("mamba_expand", default=2) * width)
    head = config.values.get("mamba_d_head", "auto")
    config.ignore("mamba_d_head")
    head = inner // heads if head == "auto" else config.integer("mamba_d_head")
    if head * heads != inner:
        raise config.error("mamba_n_heads", f"{heads} heads of {head} are not the {inner} inner channels")
    norm = gated_norm or gated_rms(tensors, inner, family.eps, groups)
    return mamba2(tensors, config, mixer_sizes(family, inner, 256), heads, groups, norm, scales)


def mixer_sizes(family: Llama, inner: int, states: int) -> MixerSizes:
    """Sizes of a mixer whose keys begin with ``mamba_``; ``states`` where the file does not say."""
    config = family.config
    bias = config.flag("mamba_proj_bias", default=False)
    return MixerSizes(
        family.sizes.width, inner, config.integer("mamba_d_state", default=states), config.integer("mamba_d_conv", default=4), bias,
        config.flag("mamba_conv_bias", default=True), config.flag("projectors_bias", default=bias),
    )  # fmt: skip


class FalconH1(Llama):
    """Attention and Mamba-2 side by side in every layer, with multipliers on nearly everything."""

    second_norm, final_norm, mlp_name, eps_default = "pre_ff_layernorm", "final_layernorm", "feed_forward", 1e-5

    def _multiplier(self, name: str) -> float:
        return self.config.number(f"{name}_multiplier", default=1.0)  # type: ignore[no-any-return]

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        norm = self.norm(tensors, "input_layernorm")
        mixer = self.state_space(tensors.below("mamba"))
        attention = Attention(**self.attention_parts(layer, tensors.below("self_attn")))
        branches = [
            (norm, Scaled(mixer, self._multiplier("ssm_in"), self._multiplier("ssm_out"))),
            (norm, Scaled(attention, self._multiplier("attention_in"), self._multiplier("attention_out"))),
        ]
        feed_forward = Residual(self.feed_forward(layer, tensors.below("feed_forward")), self.norm(tensors, "pre_ff_layernorm"))
        return Layer([Parallel(branches), feed_forward])

    def attention_parts(self, layer: int, tensors: Tensors) -> dict[str, Any]:
        return super().attention_parts(layer, tensors) | {"key_scale": self._multiplier("key")}

    def feed_forward(self, layer: int, tensors: Tensors) -> Gated:
        gate, down = self.config.items("mlp_multipliers", default=[1.0, 1.0])
        return replace(self.gated(tensors, self.config.integer("intermediate_size")), gate_scale=gate, down_scale=down)

    def state_space(self, tensors: Tensors) -> Branch:
        """Each of (gate, channels, B, C, steps) has a multiplier."""
        config = self.config
        inner = config.integer("mamba_d_ssm", default=config.integer("mamba_expand", default=2) * self.sizes.width)
        groups, heads = config.integer("mamba_n_groups", default=1), config.integer("mamba_n_heads", default=128)
        shared = groups * config.integer("mamba_d_state", default=256)
        factors = config.items("ssm_multipliers", default=[1.0] * 5)
        scales = np.repeat(np.array(factors, np.float64), [inner, inner, shared, shared, heads])
        if config.flag("mamba_rms_norm", default=False):
            norm: Any = gated_rms(tensors, inner, self.eps, groups, not config.flag("mamba_norm_before_gate", default=True))
        else:
            config.ignore("mamba_norm_before_gate")
            norm = lambda y, gate: y * silu(gate)  # noqa: E731
        config.ignore("mamba_expand", "mamba_use_mlp")
        return mamba2_of(self, tensors, scales, norm)

    def embedding(self) -> Embedding:
        return replace(super().embedding(), scale=self._multiplier("embedding"))

    def head(self) -> Head:
        return replace(super().head(), scale=self._multiplier("lm_head"))
