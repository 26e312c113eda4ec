"""Attributes that the new methods read, the new constructor sets, and the old one never did."""

import ast
from collections.abc import Iterator

from missing_aa.comparer.classes import Class
from missing_aa.comparer.findings import Finding
from missing_aa.comparer.state_rules import demanded, fields, given_back
from missing_aa.comparer.usage import Read, Use

UNKNOWN = "..."


def default_of(of: Class, name: str) -> str:
    """That value as source text; UNKNOWN where it depends on more than arguments with defaults.

    Where that is so, and the methods ask whether it is None, None it is: they can do without.
    """
    for value, init in _given(of, name):
        if _is_free(value, init):
            return ast.unparse(value)
    return "None" if any(_may_be_none(each, name) for each in of.order) else UNKNOWN


def is_plain(of: Class, name: str) -> bool:
    """Whether its constructors give it plain values (a truth value, a number, a text) alone."""
    values = [value for value, _ in _given(of, name)]
    return bool(values) and all(
        isinstance(value, ast.Constant) and value.value is not None for value in values
    )


def _given(of: Class, name: str) -> Iterator[tuple[ast.expr, ast.FunctionDef]]:
    """The values that its constructors give it, settled, each with the constructor."""
    for each in of.order:
        init = each.own.get("__init__")
        if not isinstance(init, ast.FunctionDef):
            continue
        for node in ast.walk(init):
            if isinstance(node, ast.Assign) and any(_is_own(part, name) for part in node.targets):
                yield _settle(node.value, _defaults(init)), init


def _may_be_none(of: Class, name: str) -> bool:
    return any(
        isinstance(part, ast.Compare)
        and _is_own(part.left, name)
        and isinstance(part.ops[0], ast.Is | ast.IsNot)
        for part in ast.walk(of.node)
    )


def _is_own(target: ast.expr, name: str) -> bool:
    return (
        isinstance(target, ast.Attribute)
        and target.attr == name
        and isinstance(target.value, ast.Name)
    )


def _settle(value: ast.expr, defaults: dict[str, ast.expr]) -> ast.expr:
    """What an expression comes to with the defaults of the arguments, as far as that is simple."""
    if isinstance(value, ast.Name):
        return defaults.get(value.id, value)
    if isinstance(value, ast.IfExp):
        test = _settle(value.test, defaults)
        if isinstance(test, ast.Constant):
            return _settle(value.body if test.value else value.orelse, defaults)
    return value


def _is_free(value: ast.expr, init: ast.FunctionDef) -> bool:
    """Whether a value names nothing that only the constructor knows."""
    inside = {part.arg for part in ast.walk(init) if isinstance(part, ast.arg)}
    inside |= {
        part.id
        for part in ast.walk(init)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return inside.isdisjoint(part.id for part in ast.walk(value) if isinstance(part, ast.Name))


def _defaults(function: ast.FunctionDef) -> dict[str, ast.expr]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    by_place = zip(reversed(named), reversed(arguments.defaults), strict=False)
    by_name = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {each.arg: default for each, default in (*by_place, *by_name) if default}


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
    "LU": "inplace negative_slope num_parameters init weight alpha",  # ReLU, PReLU, GELU
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


REBUILT = ("__reduce__", "__reduce_ex__")


class Missing:
    """Compares what old objects carry with what new methods read."""

    def __init__(self, old: Use, new: Use):
        self.old, self.new = old, new

    def of(self, path: str, old: Class, new: Class) -> Iterator[Finding]:
        """The attributes that objects of a class, which old files call `path`, miss in use."""
        if any(map(old.method, REBUILT)):
            return  # the new constructor makes these
        before, after = self.old.made(old), self.new.made(new)
        carried = before.stores | fields(old).keys() | given_outside(old.foreign)
        # What the old methods read was there, however it came to be there.
        carried |= self.old.used(old).reads.keys()
        back, made = given_back(self.new.classes, new)
        asked = {} if old.method("__getstate__") else demanded(new)
        lacking = after.stores - carried - (back - asked.keys())
        put_together = tuple(made | before.made)
        registered = tuple(before.registered)
        usual = self.new.used(new).reads | asked
        any_ = self.new.called(new).reads | asked
        reads = {
            name: found
            for name, found in any_.items()
            if name in lacking and not name.startswith(put_together)
            # What was registered under whatever name is no number and no text.
            if not name.startswith(registered) or is_plain(new, name)
        }
        for name, found in reads.items():
            others = [(read.under & reads.keys()) - {name} for read in usual.get(name, found)]
            needs = min(others[0]) if all(others) else ""
            certain = name in usual and not needs
            yield self._finding(path, name, usual.get(name, found), new, certain, needs)

    def _finding(
        self, path: str, name: str, found: list[Read], new: Class, certain: bool, needs: str
    ) -> Finding:
        readers = tuple(dict.fromkeys(read.reader for read in found))
        return Finding(
            kind="missing",
            class_=path,
            attribute=name,
            file=self.new.classes.package.source.files[found[0].module].path,
            line=found[0].line,
            message=f"read by {', '.join(readers)}{_limit(certain, needs)}; the old __init__ never "
            "sets it",
            remedy=f"in __setstate__: if not hasattr(self, {name!r}): "
            f"self.{name} = {default_of(new, name)}",
            readers=readers,
            certain=certain,
            needs=needs,
        )


def _limit(certain: bool, needs: str) -> str:
    if needs:
        return f", where {needs}, which is missing too, has been given a value"
    return "" if certain else ", which nothing in the package calls"
