"""Attributes that classes outside the package give their objects.

A short list instead of torch's own source, so that the answer is the same with any torch, and
without one. What is not listed counts as not given.
"""

_CONV = "in_channels out_channels kernel_size stride padding dilation transposed output_padding"
_NORM = "num_features num_channels num_groups normalized_shape eps momentum affine"
_POOL = "kernel_size stride padding dilation return_indices ceil_mode count_include_pad"

GIVEN = {
    "Conv": f"{_CONV} groups padding_mode weight bias",
    "Norm": f"{_NORM} elementwise_affine track_running_stats weight bias running_mean running_var "
    "num_batches_tracked process_group",
    "Linear": "in_features out_features in1_features in2_features weight bias",
    "Pool": f"{_POOL} output_size divisor_override norm_type",
    "Drop": "p inplace",
    "Embedding": "num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq "
    "sparse weight mode",
    "MultiheadAttention": "embed_dim kdim vdim num_heads dropout batch_first head_dim out_proj "
    "in_proj_weight in_proj_bias q_proj_weight k_proj_weight v_proj_weight bias_k bias_v "
    "add_zero_attn",
    "LU": "inplace negative_slope num_parameters init weight alpha",  # ReLU, PReLU, GELU and kin
    "Upsample": "size scale_factor mode align_corners recompute_scale_factor name",
    "Loss": "reduction weight pos_weight ignore_index label_smoothing",
    "DataLoader": "dataset batch_size num_workers sampler batch_sampler collate_fn drop_last "
    "pin_memory pin_memory_device generator timeout worker_init_fn prefetch_factor "
    "persistent_workers",
    "optim": "defaults state param_groups",
}
"""Part of the dotted path of a torch class -> the attributes of its objects."""


def given_outside(paths: list[str]) -> set[str]:
    """The attributes that bases outside the package give, as far as they are listed."""
    return {
        name
        for path in paths
        if path.startswith("torch.")
        for part, names in GIVEN.items()
        if part in path
        for name in names.split()
    }
