"""What is known of registries of models, as data; a row is one of them."""

from typing import NamedTuple


class Registry(NamedTuple):
    """A registry: how it says that a name is not in it, and whose it is ("" for several).

    `look` are lines that show which release runs and which names it has. `registers` is what a
    project does to add one; `repository` asks for the repository {}; `prefixes` says what
    releases make of a name with a prefix.
    """

    words: str
    package: str
    registers: str
    look: tuple[str, ...] = ()
    repository: str = ""
    prefixes: str = ""


REGISTRIES = (
    Registry(
        r"\bUnknown\s+model\s+\((?P<name>[\w./:@-]{1,200})\)",
        "timm",
        "@register_model",
        (
            'python -c "import timm; print(timm.__file__, timm.__version__)"',
            'timm.list_models("*PART_OF_THE_NAME*")',
        ),
        'timm.create_model("hf-hub:{}", pretrained=True)',
        "timm 0.5.4 takes such a prefix for a part of the name, and 0.6.13 and 0.9.16 do not: as "
        "it seems an old timm runs, whatever pip lists.",
    ),
    Registry(
        r"\bKeyError:\s*'(?P<name>[\w.]{1,100}) is not in the [\w:. ]{1,60} registry\b",
        "",
        "custom_imports in the config, or an import in the script",
    ),
)
"""Registries that say so. What timm makes of prefixes was read off its wheels 0.5.4 and 0.6.13."""

FAMILY = r"[a-z]+"
"""How the name of a model begins, by which it is told whether timm has others of that family."""

TABLE = r"(?<![\w.])(\w*s|_*[A-Z][A-Z0-9_]*|\w*(?:registry|zoo|_dict|_map|mapping))\[[a-z_]\w*\]"
"""A table of a module's own, subscripted with a variable."""

NOT_TABLES = (
    r"(?i)arg|param|tensor|weight|column|input|output|feature|batch|state|setting|option|config|item"
    r"|value|sample|kwds|data|field|target|label|row|self|result|element|attr|meta|this|index|series"
)
"""Words in the names of what a caller gives, in which another name is missing."""
