"""Pure state-space decoders: Mamba, Falcon-Mamba, Mamba-2."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pimsim.oracle.arrays import Floats
from pimsim.oracle.blocks import Branch, Residual
from pimsim.oracle.config import HubConfig
from pimsim.oracle.families.family import Family, Sizes
from pimsim.oracle.functions import activation, silu
from pimsim.oracle.norms import Norm, rms_norm
from pimsim.oracle.state_space import Convolution, Mamba, Mamba2
from pimsim.oracle.tensors import Tensors

SelectionNorms = tuple[Norm | None, Norm | None, Norm | None]


class PureMamba(Family):
    """A norm and a mixer a layer, no feed-forward."""

    base_names = ("backbone",)
    table, final_norm, tied = "embeddings", "norm_f", True

    def read_sizes(self) -> Sizes:
        config = self.config
        return Sizes(config.integer("hidden_size", "d_model"), config.integer("num_hidden_layers", "n_layer"), 1, 1, 1,
                     config.integer("vocab_size"))  # fmt: skip

    def norm(self, tensors: Tensors, name: str) -> Norm:
        return rms_norm(tensors, name, self.sizes.width, self.config.number("layer_norm_epsilon", default=1e-5))

    def layer(self, layer: int) -> Branch:
        tensors = self.base.below("layers", layer)
        return Residual(self.mixer(tensors.below("mixer")), self.norm(tensors, "norm"))

    def mixer(self, tensors: Tensors) -> Branch:
        """The state space of a layer."""
        config, width = self.config, self.sizes.width
        inner = config.integer("intermediate_size", default=config.integer("expand", default=2) * width)
        if config.present("expand"):
            inner = config.integer("expand") * width
        rank = config.values.get("time_step_rank", "auto")
        config.ignore("time_step_rank", "intermediate_size", "ssm_cfg", "rms_norm", "fused_add_norm")
        rank = math.ceil(width / 16) if rank == "auto" else config.integer("time_step_rank")
        act = activation(config, "hidden_act", default="silu")
        return mamba(tensors, self.mixer_sizes(inner, 16), rank, act, self.selection_norms())

    def mixer_sizes(self, inner: int, states: int) -> MixerSizes:
        """Sizes of ``inner`` channels; ``states`` where the file does not say."""
        config = self.config
        bias = config.flag("use_bias", default=False)
        return MixerSizes(
            self.sizes.width, inner, config.integer("state_size", default=states), config.integer("conv_kernel", default=4), bias,
            config.flag("use_conv_bias", default=True), bias,
        )  # fmt: skip

    def selection_norms(self) -> SelectionNorms:
        """Norms on step size, B and C."""
        return None, None, None


class FalconMamba(PureMamba):
    """Step size, B and C pass an RMS norm without weights."""

    def selection_norms(self) -> SelectionNorms:
        norm = Norm(self.config.number("mixer_rms_eps", default=1e-6), False)
        return norm, norm, norm


class PureMamba2(PureMamba):
    """Mamba-2 with a gated RMS norm."""

    tied = False

    def mixer(self, tensors: Tensors) -> Branch:
        config, width = self.config, self.sizes.width
        heads, head = config.integer("num_heads", default=128), config.integer("head_dim", default=64)
        config.ignore("time_step_rank", "rms_norm", "norm_before_gate")
        expand = config.integer("expand", default=2)
        if expand * width != heads * head:
            raise config.error("num_heads", f"{heads} heads of {head} are not the {expand * width} of expand x hidden_size")
        groups = config.integer("n_groups", default=8)
        norm = gated_rms(tensors, heads * head, self._eps, groups)
        return mamba2(tensors, config, self.mixer_sizes(heads * head, 128), heads, groups, norm)

    @property
    def _eps(self) -> float:
        return self.config.number("layer_norm_epsilon", default=1e-5)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class MixerSizes:
    """``inner`` channels of a model of ``width``, ``states`` each, a convolution of ``taps``; which parts have biases."""

    width: int
    inner: int
    states: int
    taps: int
    bias: bool = False
    convolution_bias: bool = True
    output_bias: bool = False


def mamba(tensors: Tensors, sizes: MixerSizes, rank: int, act: Callable[[Floats], Floats], norms: SelectionNorms) -> Mamba:
    """A Mamba mixer from its tensors; ``rank``: width that step sizes come from."""
    inner, states = sizes.inner, sizes.states
    return Mamba(
        inside=tensors.linear("in_proj", 2 * inner, sizes.width, sizes.bias), convolution=convolution(tensors, sizes, inner),
        selection=tensors.linear("x_proj", rank + 2 * states, inner), step=tensors.linear("dt_proj", inner, rank, True),
        output=tensors.linear("out_proj", sizes.width, inner, sizes.output_bias),
        decay=-np.exp(tensors.take("A_log", inner, states)), skip=tensors.take("D", inner), activation=act, norms=norms,
    )  # fmt: skip


def mamba2(
    tensors: Tensors, config: HubConfig, sizes: MixerSizes, heads: int, groups: int,
    gated_norm: Callable[[Floats, Floats], Floats], scales: Floats | None = None,
) -> Mamba2:  # fmt: skip
    """A Mamba-2 mixer of ``heads`` heads in ``groups`` from its tensors."""
    inner, states, channels = sizes.inner, sizes.states, sizes.inner + 2 * groups * sizes.states
    if heads % groups:
        raise config.error("n_groups", f"{groups} groups do not divide {heads} heads")
    return Mamba2(
        inside=tensors.linear("in_proj", inner + channels + heads, sizes.width, sizes.bias),
        convolution=convolution(tensors, sizes, channels), output=tensors.linear("out_proj", sizes.width, inner, sizes.output_bias),
        gated_norm=gated_norm, decay=-np.exp(tensors.take("A_log", heads)), skip=tensors.take("D", heads),
        step_bias=tensors.take("dt_bias", heads), heads=heads, width=inner // heads, groups=groups, states=states,
        activation=activation(config, "hidden_act", default="silu"), step_limit=step_limit(config), scales=scales,
    )  # fmt: skip


def convolution(tensors: Tensors, sizes: MixerSizes, channels: int) -> Convolution:
    """The short convolution of a mixer, over ``channels``."""
    kernel = tensors.take("conv1d.weight", channels, 1, sizes.taps)[:, 0]
    return Convolution(kernel, tensors.take("conv1d.bias", channels) if sizes.convolution_bias else None)


def gated_rms(
    tensors: Tensors, inner: int, eps: float, groups: int = 1, gate_first: bool = True
) -> Callable[[Floats, Floats], Floats]:
    """RMS norm over each of ``groups`` parts of the channels, gated by SiLU before the norm or after it."""
    weight = tensors.take("norm.weight", inner)

    def norm(y: Floats, gate: Floats) -> Floats:
        if gate_first:
            y = y * silu(gate)
        parts = Norm(eps, False)(y.reshape(len(y), groups, -1)).reshape(y.shape) * weight
        return parts if gate_first else parts * silu(gate)

    return norm


def step_limit(config: HubConfig) -> tuple[float, float]:
    """Smallest and largest step size; infinity may be written as a table."""
    given = config.items("time_step_limit", default=None)
    if given is None:
        return 0.0, np.inf
    low, high = (float(value["__float__"]) if isinstance(value, dict) else float(value) for value in given)
    return low, high
