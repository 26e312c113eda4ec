"""What is known of torch without reading it: names of methods, as tables."""

CONTAINER = "torch.nn.modules.container"

HOLDERS = {
    f"{CONTAINER}.Sequential": {"__iter__", "__len__", "__getitem__", "append", "extend", "insert"},
    f"{CONTAINER}.ModuleList": {"__iter__", "__len__", "__getitem__", "append", "extend", "insert"},
    f"{CONTAINER}.ModuleDict": {
        "__iter__",
        "__len__",
        "__getitem__",
        "__contains__",
        "keys",
        "values",
        "items",
    },
}
"""torch's containers -> those of their methods that say what is in `_modules`."""

_MODULE_METHODS = """
    __setattr__ __delattr__ __getattr__ __dir__ __repr__ _call_impl _wrapped_call_impl
    _apply _get_name _load_from_state_dict _named_members _register_load_state_dict_pre_hook
    _register_state_dict_hook _replicate_for_data_parallel _save_to_state_dict _slow_forward
    add_module apply bfloat16 buffers children compile cpu cuda double eval extra_repr float
    get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules
    named_buffers named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_module
    register_parameter register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule
    share_memory state_dict to to_empty train type xpu zero_grad mtia
"""
MODULE_METHODS = frozenset(_MODULE_METHODS.split())
"""Methods of torch.nn.Module that are known here and not followed."""

_RETURNS_ITSELF = "to cuda cpu half float double bfloat16 requires_grad_ share_memory type apply"
RETURNS_ITSELF = frozenset(_RETURNS_ITSELF.split())
"""Methods of a module that give it back."""

_TENSOR_VALUES = """
    shape ndim dtype device layout is_cuda requires_grad is_leaf names itemsize nbytes is_sparse
    is_quantized is_meta is_mps is_nested is_mkldnn is_vulkan is_cpu is_xpu is_mtia is_ipu is_xla
    is_sparse_csr retains_grad output_nr grad_fn
"""
TENSOR_VALUES = frozenset(_TENSOR_VALUES.split())
"""Attributes of a tensor that are no methods."""

_GIVES_TENSOR = """
    abs add add_ addcmul addmm addmm_ argmax argmin argsort baddbmm bernoulli bernoulli_ bfloat16
    bmm bool cat ceil chunk_ clamp clamp_ clamp_min clone concat concatenate contiguous conv1d
    conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cos cpu cuda cumsum detach
    diag diagonal div div_ double einsum empty empty_like eq exp expand expand_as eye fill_ flatten
    flip float floor full full_like gather ge gt half index_select int inverse isnan le linspace
    log log_softmax logical_and logical_not logical_or long lt masked_fill masked_fill_ matmul
    mean mm movedim mul mul_ narrow ne neg new_empty new_full new_ones new_tensor new_zeros norm
    ones ones_like outer permute pow prod rand rand_like randn randn_like randperm reciprocal
    relu relu_ repeat repeat_interleave requires_grad_ reshape reshape_as roll round rsqrt
    scatter scatter_ select sigmoid sigmoid_ sign sin softmax softplus sqrt square squeeze stack
    std sub sub_ sum swapaxes swapdims t tanh tanh_ tensor tile to transpose tril triu type
    type_as unflatten unfold unsqueeze unsqueeze_ var view view_as where zero_ zeros zeros_like
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d avg_pool1d avg_pool2d avg_pool3d
    alpha_dropout batch_norm celu dropout dropout1d dropout2d dropout3d elu fold gelu glu
    grid_sample affine_grid group_norm gumbel_softmax hardsigmoid hardswish hardtanh instance_norm
    interpolate layer_norm leaky_relu linear local_response_norm logsigmoid max_unpool2d mish
    normalize one_hot pad pixel_shuffle pixel_unshuffle prelu relu6 rms_norm rrelu
    scaled_dot_product_attention selu silu softmin softsign tanhshrink threshold upsample
    embedding embedding_bag bilinear cosine_similarity pairwise_distance arange as_tensor
    from_numpy erf erfc maximum minimum meshgrid_ rot90 take take_along_dim tensordot vmap_
    channel_shuffle native_channel_shuffle complex polar view_as_complex view_as_real
"""
GIVES_TENSOR = frozenset(_GIVES_TENSOR.split())
"""Functions of torch, and methods of a tensor, that give one tensor."""

_FALSE = """
    is_scripting is_tracing _is_tracing is_compiling is_exporting is_dynamo_compiling
    is_in_onnx_export is_in_onnx_export_mode has_torch_function has_torch_function_unary
    has_torch_function_variadic is_fx_tracing is_torchdynamo_compiling
"""
FALSE = frozenset(_FALSE.split())
"""Functions of torch that say no where a model simply runs."""

NOTHING = frozenset(["_get_tracing_state", "_log_api_usage_once", "_assert", "_jit_internal"])
"""Functions of torch that give None there."""

_HARMLESS = """
    ignore unused export script script_if_tracing interface _overload_method _overload is_scripting
    no_grad inference_mode enable_grad wraps wrap property staticmethod classmethod cached_property
    setter getter deleter abstractmethod lru_cache cache contextmanager overload final override
    total_ordering dataclass disable allow_in_graph autocast custom_fwd custom_bwd compatibility
    deprecated substitute_in_graph assume_constant_result set_grad_enabled runtime_checkable
    register_module_notrace forbid_in_graph
"""
HARMLESS = frozenset(_HARMLESS.split())
"""Decorators that leave what a function reads, and what a class gives, as it is."""
