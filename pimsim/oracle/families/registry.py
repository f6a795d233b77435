"""Families by the ``model_type`` of their configuration."""

from __future__ import annotations

from collections.abc import Callable

from pimsim.oracle.config import HubConfig
from pimsim.oracle.families import (
    alibi_models,
    bart,
    deepseek,
    falcon,
    gemma,
    gpt2,
    gpt_neox,
    gpt_oss,
    gptj,
    hybrids,
    llama,
    llama_variants,
    mambas,
    mixtures,
    opt,
    t5,
)
from pimsim.oracle.families import layer_norm_models as layer_norm
from pimsim.oracle.families.family import Family
from pimsim.oracle.tensors import Tensors

Builder = Callable[[HubConfig, Tensors], Family]

FAMILIES: dict[str, Builder] = {
    "gpt2": gpt2.Gpt2, "gpt_bigcode": gpt2.GptBigCode, "gpt_neo": gpt2.GptNeo, "gptj": gptj.GptJ, "codegen": gptj.CodeGen,
    "gpt_neox": gpt_neox.GptNeoX, "opt": opt.Opt, "bloom": alibi_models.Bloom, "mpt": alibi_models.Mpt,
    "falcon": falcon.Falcon, "RefinedWeb": falcon.Falcon, "RefinedWebModel": falcon.Falcon,
    "llama": llama.Llama, "mistral": llama.Mistral, "ministral": llama.Mistral, "qwen2": llama.Qwen2, "qwen3": llama.Qwen3,
    "phi3": llama.Phi3, "olmo": llama.Olmo, "olmo2": llama.Olmo2, "olmo3": llama.Olmo3, "granite": llama.Granite,
    "starcoder2": llama.Starcoder2, "gemma": gemma.Gemma, "gemma2": gemma.Gemma2, "gemma3_text": gemma.Gemma3,
    "phi": layer_norm.Phi, "stablelm": layer_norm.StableLm, "cohere": layer_norm.Cohere, "cohere2": layer_norm.Cohere2,
    "nemotron": layer_norm.Nemotron, "mixtral": mixtures.Mixtral, "qwen2_moe": mixtures.Qwen2Moe, "qwen3_moe": mixtures.Qwen3Moe,
    "olmoe": mixtures.OlMoE, "granitemoe": mixtures.GraniteMoe, "granitemoeshared": mixtures.GraniteMoe,
    "deepseek_v2": deepseek.DeepseekV2, "deepseek_v3": deepseek.DeepseekV3, "gpt_oss": gpt_oss.GptOss,
    "mamba": mambas.PureMamba, "falcon_mamba": mambas.FalconMamba, "mamba2": mambas.PureMamba2, "jamba": hybrids.Jamba,
    "bamba": hybrids.Bamba, "granitemoehybrid": hybrids.GraniteHybrid, "falcon_h1": hybrids.FalconH1,
    "arcee": llama_variants.Arcee, "seed_oss": llama_variants.SeedOss, "smollm3": llama_variants.SmolLm3, "glm": llama_variants.Glm,
    "glm4": llama_variants.Glm4, "ernie4_5": llama_variants.Ernie45, "exaone4": llama_variants.Exaone4,
    "hunyuan_v1_dense": llama_variants.Hunyuan, "helium": llama_variants.Helium, "plbart": bart.PlBart,
    "t5": t5.T5, "mt5": t5.Mt5, "umt5": t5.Umt5, "bart": bart.Bart, "mbart": bart.MBart,
}  # fmt: skip
