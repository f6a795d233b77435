"""DeepSeek V2 and V3: latent attention, experts with shared ones beside them, the first layers dense."""

from __future__ import annotations

from typing import Any

import numpy as np

from pimsim.oracle.blocks import Branch
from pimsim.oracle.experts import Experts, Router
from pimsim.oracle.families.family import Sizes, sizes_of
from pimsim.oracle.families.llama import Llama
from pimsim.oracle.families.mixtures import PROJECTIONS, chosen_of, gated_experts
from pimsim.oracle.latent_attention import LatentAttention
from pimsim.oracle.norms import rms_norm
from pimsim.oracle.rotary_config import rotary_of, scaling_of, score_magnitude
from pimsim.oracle.tensors import Tensors

INNER_EPS = 1e-6  # of the norms on latents, whatever the file says


class DeepseekV2(Llama):
    """Softmax scores, the chosen never renormalised; groups by their best expert."""

    low_rank_default = 1536
    experts_default, top_default, shared_default = 64, 6, 2

    def read_sizes(self) -> Sizes:
        self.config.ignore("head_dim", "num_key_value_heads", "qk_head_dim")
        return sizes_of(self.config)

    def attention(self, layer: int, tensors: Tensors) -> Branch:
        config, heads, width = self.config, self.sizes.heads, self.sizes.width
        plain, turned = config.integer("qk_nope_head_dim", default=128), config.integer("qk_rope_head_dim", default=64)
        latent, value = config.integer("kv_lora_rank", default=512), config.integer("v_head_dim", default=128)
        bias = config.flag("attention_bias", default=False)
        low = config.integer("q_lora_rank", default=None if config.present("q_lora_rank") else self.low_rank_default)
        parts: dict[str, Any] = {}
        if low is None:
            parts["query"] = tensors.linear("q_proj", heads * (plain + turned), width)
        else:
            parts["query_down"] = tensors.linear("q_a_proj", low, width, bias)
            parts["query_norm"] = rms_norm(tensors, "q_a_layernorm", low, INNER_EPS)
            parts["query"] = tensors.linear("q_b_proj", heads * (plain + turned), low)
        interleaved = config.flag("rope_interleave", default=True)
        return LatentAttention(
            **parts, down=tensors.linear("kv_a_proj_with_mqa", latent + turned, width, bias),
            latent_norm=rms_norm(tensors, "kv_a_layernorm", latent, INNER_EPS),
            up=tensors.linear("kv_b_proj", heads * (plain + value), latent),
            output=tensors.linear("o_proj", width, heads * value, bias),
            heads=heads, latent=latent, plain=plain, scale=(plain + turned) ** -0.5 * score_magnitude(scaling_of(config)),
            rotary=self.shared_rotary(0, lambda: rotary_of(config, turned, interleaved=interleaved)),
        )  # fmt: skip

    def feed_forward(self, layer: int, tensors: Tensors) -> Branch:
        config = self.config
        config.only("ep_size", 1)
        dense = config.integer("first_k_dense_replace", default=self.dense_default, least=0)
        every = config.integer("moe_layer_freq", default=1)
        config.ignore("intermediate_size")
        if layer < dense or layer % every:
            return self.gated(tensors, config.integer("intermediate_size"))
        count = config.integer("n_routed_experts", "num_experts", "num_local_experts", default=self.experts_default)
        inner = config.integer("moe_intermediate_size", default=self.inner_default)
        shared = config.integer("n_shared_experts", default=self.shared_default)
        experts = gated_experts(self, tensors, count, inner, PROJECTIONS)
        return Experts(self.router(tensors, count), experts, self.gated(tensors.below("shared_experts"), shared * inner))

    dense_default, inner_default = 0, 1407

    def router(self, tensors: Tensors, count: int) -> Router:
        """Scores, groups and factor of a layer's router."""
        config = self.config
        method = config.text("topk_method", default="greedy")
        config.only("topk_method", ("greedy", "group_limited_greedy"))
        config.only("scoring_func", "softmax")
        config.ignore("norm_topk_prob")
        grouped = method == "group_limited_greedy"
        groups, best = config.integer("n_group", default=1), config.integer("topk_group", default=1)
        return Router(
            tensors.linear("gate", count, self.sizes.width), chosen_of(self, count, self.top_default),
            factor=config.number("routed_scaling_factor", default=1.0),
            groups=groups if grouped else 1, top_groups=best if grouped else 1,
        )  # fmt: skip


class DeepseekV3(DeepseekV2):
    """Logistic scores with a correction for choosing only; groups by their two best; the chosen renormalised."""

    experts_default, top_default, shared_default = 256, 8, 1
    dense_default, inner_default = 3, 2048
    skip = (r"model\.layers\.\d+\.(eh_proj|enorm|hnorm|shared_head|embed_tokens)\..*",)

    def router(self, tensors: Tensors, count: int) -> Router:
        config = self.config
        config.only("topk_method", "noaux_tc")
        config.only("scoring_func", "sigmoid")
        return Router(
            tensors.linear("gate", count, self.sizes.width), chosen_of(self, count, self.top_default), kind="sigmoid",
            renormalised=config.flag("norm_topk_prob", default=True), factor=config.number("routed_scaling_factor", default=2.5),
            correction=tensors.take("gate.e_score_correction_bias", count),
            groups=config.integer("n_group", default=8), top_groups=config.integer("topk_group", default=4), group_best=2, excluded=-np.inf,
        )  # fmt: skip
