"""Keys of hub files that do not change what one forward pass computes: training, tokens, generation, how code is run."""

from __future__ import annotations

import re

_PATTERNS = re.compile(
    r".*(dropout|_pdrop|token_id|token_ids|initializer|init_std|init_scale|_init_method|layerdrop).*"
    r"|_.*|summary_.*|output_.*|pruned_heads|.*_coef|.*_coefficient|id2label|label2id|.*num_labels|transformers.*|use_mamba.*|diversity.*"
)
_NAMES = frozenset(
    """
    architectures auto_map torch_dtype dtype model_type use_cache transformers_version max_position_embeddings n_positions n_ctx max_seq_len
    max_sequence_length seq_length gradient_checkpointing pretraining_tp task_specific_params is_decoder is_encoder_decoder tokenizer_class
    finetuning_task problem_type return_dict return_dict_in_generate torchscript use_bfloat16 tf_legacy_loss cross_attention_hidden_size
    add_cross_attention tie_encoder_decoder max_length min_length do_sample early_stopping num_beams num_beam_groups temperature
    top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
    num_return_sequences remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens prefix
    chunk_size_feed_forward classifier_dropout num_logits_to_keep use_flash_attn attn_implementation attn_impl attn_type slow_but_exact
    attention_softmax_in_fp32 scale_attention_softmax_in_fp32 reorder_and_upcast_attn residual_in_fp32 rescale_prenorm_residual
    init_device verbose router_jitter_noise input_jitter_noise ep_size use_mambapy use_associative_scan
    mamba_chunk_size chunk_size time_step_min time_step_max time_step_floor time_step_init_scheme time_step_scale vision_config
    image_token_index mm_tokens_per_image vocab_file is_llama_config bos_token eos_token pad_token unk_token force_bos_token_to_be_generated
    normalize_before normalize_embedding static_position_embeddings forced_eos_token_id output_past
    num_nextn_predict_layers unk_token_id aux_loss_alpha seq_aux attn_uses_sequence_id license language name
    """.split()
)


def changes_nothing(name: str) -> bool:
    """Whether a key is known to leave a forward pass as it is."""
    return name in _NAMES or _PATTERNS.fullmatch(name) is not None
