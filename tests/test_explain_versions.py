"""Another version of a library, or another Python: what is known from the names in a text."""

import pickle
import warnings

import pytest
import torch
from sklearn.utils import all_estimators
from torch import nn

from missing_aa.explainer.advice import moved
from missing_aa.explainer.explain import explain_text
from missing_aa.explainer.known_breaks import (
    BECAME_PACKAGES,
    ESTIMATORS,
    GROWING,
    MODULE_BASES,
    MODULES,
    SUPPLIED,
    TORCH_ATTRIBUTES,
    TORCH_CLASSES,
)
from missing_aa.provenance import class_record

HEAD = "Traceback (most recent call last):\n"
SITE = "/home/u/env/lib/python3.11/site-packages"
WARNING = (
    "base.py:376: InconsistentVersionWarning: Trying to unpickle estimator FooRegressor from "
    "version 1.2.2 when using version 1.5.2. This might lead to breaking code.\n"
)


def ways(answer):
    return " ".join(f"{way.text} {' '.join(way.commands)}" for way in answer.ways)


@pytest.mark.parametrize(
    "module, said, need",
    [
        ("pandas.core.indexes.numeric", "no longer since 2.0", "pandas<2"),
        ("pandas.core.index", "no longer since 2.0", "pandas<2"),
        ("sklearn.ensemble.forest", "0.24 took", "scikit-learn<0.24"),
        ("sklearn.linear_model.logistic", "0.24 took", "scikit-learn<0.24"),
        ("sklearn.externals.joblib", "since 0.23", "scikit-learn<0.23"),
        ("sklearn.externals.joblib.numpy_pickle", "since 0.23", "scikit-learn<0.23"),
        ("transformers.modeling_bert", "4.0 moved", "transformers<4"),
        ("transformers.tokenization_t5", "4.0 moved", "transformers<4"),
        ("numpy._core.multiarray", "under 2", "--upgrade numpy"),
    ],
)
def test_a_module_that_came_or_went_says_which_version(module, said, need):
    found = explain_text(f"ModuleNotFoundError: No module named '{module}'")
    assert said in found.changed and need in ways(found)


@pytest.mark.parametrize(
    "module",
    [
        "pandas.core.indexes.base",
        "pandas.core.indexing",
        "sklearn.ensemble._forest",
        "sklearn.ensemble.forests",
        "transformers.modeling_utils",
        "transformers.tokenization_utils_base",
        "transformers.models.bert.modeling_bert",
        "numpy._coretools",
    ],
)
def test_other_modules_of_theirs_are_not_said_to_have_moved(module):
    assert moved(module) is None


def test_a_newer_one_is_not_the_first_to_try_for_an_old_name():
    for module in ("transformers.modeling_bert", "sklearn.svm.classes"):
        found = explain_text(f"Can't get attribute 'foo' on <module '{module}' from '/x/a.py'>")
        assert "older one first" in ways(found) and "newer" not in ways(found)
    for module in ("transformers.activations", "barlib.nets"):
        found = explain_text(f"Can't get attribute 'foo' on <module '{module}' from 'x'>")
        assert "as a rule one that is older" in ways(found)
        assert "newer one first" not in ways(found)
    for module in GROWING:
        found = explain_text(f"Can't get attribute 'foo' on <module '{module}.nets' from 'x'>")
        assert "newer one first" in ways(found)
    code = explain_text("ImportError: cannot import name 'foo' from 'barlib.nets' (/x/nets.py)")
    assert "as a rule an older one" in ways(code)
    assert all(known.what[-1] == "." for known in MODULES)


@pytest.mark.parametrize(
    "error",
    [
        "AttributeError: 'FooRegressor' object has no attribute 'monotonic_cst'",
        "ModuleNotFoundError: No module named 'sklearn.foo'",
        "AttributeError: Can't get attribute 'Foo' on <module 'sklearn.foo' from '/x/foo.py'>",
    ],
)
def test_the_version_that_wrote_a_file_is_read_from_the_warning(error):
    found = explain_text(f"{WARNING}{HEAD}  File 'p.py', line 4, in f\n    m.predict(x)\n{error}")
    assert "pip install scikit-learn==1.2.2" in ways(found) and "rescue" not in ways(found)


def test_the_warning_is_scikit_learn_s_own():
    sklearn = pytest.importorskip("sklearn")
    from sklearn.tree import DecisionTreeRegressor

    data = pickle.dumps(DecisionTreeRegressor())
    other = data.replace(sklearn.__version__.encode(), b"0" * len(sklearn.__version__))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pickle.loads(other)
    error = "AttributeError: 'DecisionTreeRegressor' object has no attribute 'gain'"
    found = explain_text(f"{caught[-1].message}\n{error}")
    assert f"scikit-learn=={'0' * len(sklearn.__version__)}" in ways(found)


class Unready(nn.Module):
    def __init__(self):
        self.gain = 1


@pytest.mark.parametrize(
    "use", [lambda net: net(torch.ones(1)), repr, lambda net: list(net.buffers()), nn.Module.half]
)
def test_a_module_that_was_never_made_is_a_matter_of_no_version(use):
    with pytest.raises(AttributeError) as caught:
        use(Unready())
    found = explain_text(f"AttributeError: {caught.value}")
    assert "no version is the cause" in found.changed and "super().__init__()" in ways(found)
    assert "rescue" not in ways(found) and "state_dict" in ways(found)


def test_a_whole_quantised_model_is_one(tmp_path):
    quantized = pytest.importorskip("torch.ao.nn.quantized")
    net = nn.Sequential(quantized.Conv2d(1, 1, 1))
    torch.save(net, tmp_path / "net.pt")
    with pytest.raises(AttributeError) as caught:
        repr(torch.load(tmp_path / "net.pt", weights_only=False))
    found = explain_text(f"AttributeError: {caught.value}")
    assert "quantised" in found.changed and "rescue" not in ways(found)


@pytest.mark.parametrize("name", MODULE_BASES)
def test_torch_sets_in_every_module_what_it_cannot_be_without(name):
    assert name in vars(nn.Module()) and "no version" in (
        explain_text(f"'FooNet' object has no attribute '{name}'").changed
    )
    for other in ("NoneType", "dict", "Tensor"):
        assert (
            "no version" not in explain_text(f"'{other}' object has no attribute '{name}'").changed
        )


def test_a_value_in_a_library_that_loads_a_file_says_nothing_of_its_version():
    text = (
        f'{HEAD}  File "{SITE}/barlib/checkpoint_utils.py", line 232, in load_checkpoint_to_cpu\n'
        "    state = upgrade(load_checkpoint_to_cpu(name))\n"
        f'  File "{SITE}/barlib/checkpoint_utils.py", line 420, in upgrade\n'
        '    state["args"].task = "translation"\n'
        "AttributeError: 'NoneType' object has no attribute 'task'"
    )
    found = explain_text(text)
    assert "another version" not in found.changed and "timm" not in str(found)
    assert "nothing of the version" in found.changed
    assert ways(found).endswith("read it with the version of barlib that wrote it. ")
    for other in ("x", "load_image(x)"):
        found = explain_text(text.replace("load_checkpoint_to_cpu(name)", other))
        assert "version of barlib" not in found.changed
    none = "AttributeError: 'NoneType' object has no attribute 'shape'"
    assert "timm" not in str(explain_text(none))
    assert "a release of timm" in explain_text(f"import timm\n{none}").changed


@pytest.mark.parametrize(
    "error",
    [
        "SystemError: unknown opcode",
        "ValueError: bad marshal data (unknown type code)",
    ],
)
def test_code_of_another_python_is_known(error):
    found = explain_text(
        f'XXX lineno: 4, opcode: 120\n{HEAD}  File "a.py", line 5, in f\n'
        f"    d = dill.load(f)\n{error}"
    )
    assert found.error == error and found.changed.startswith("the file holds functions")
    assert "minor version of Python that wrote it" in ways(found)
    assert explain_text(error).changed.startswith("if it came while a file was loaded")


@pytest.mark.parametrize(
    "text",
    [
        "No module named 'networks.classifiers'",
        "Can't get attribute 'Foo' on <module 'models.common' from '/x/models/common.py'>",
        "from utils.foo import bar\nModuleNotFoundError: No module named 'utils.foo'",
    ],
)
def test_a_folder_of_a_project_is_not_to_be_installed(text):
    found = explain_text(text)
    assert "on the path" in ways(found) and "Install the version" not in ways(found)


def test_a_stranger_s_package_can_be_a_project_and_one_that_is_seen_is_none():
    text = "ModuleNotFoundError: No module named 'foonet.blocks'"
    assert "project's folder; if it is a package, install its version" in ways(explain_text(text))
    frame = f'{HEAD}  File "{SITE}/foonet/io.py", line 1, in f\n    torch.load(path)\n'
    for package in (explain_text(frame + text), explain_text(text.replace("foonet", "mmdet"))):
        assert "Install the version of" in ways(package) and "folder" not in ways(package)


def test_a_module_that_torch_lacks_is_as_a_rule_newer_but_a_private_one_is_not():
    assert "a newer one first" in ways(explain_text("No module named 'torch.torch_version'"))
    for name in ("torch._foo", "torch.nn._foo.bar", "ultralytics.yolo"):
        assert "a newer one first" not in ways(explain_text(f"No module named '{name}'"))


@pytest.mark.parametrize("key", [key for key in TORCH_ATTRIBUTES if key.split(".")[1] in SUPPLIED])
def test_torch_gives_older_objects_what_it_is_said_to_give(key):
    class_, attribute = key.split(".")
    sizes = () if class_.startswith("Upsampl") else (2, 2, 1)[: 3 if "Conv" in class_ else 2]
    module = getattr(nn, class_)(*sizes)
    del module.__dict__[attribute]
    assert hasattr(pickle.loads(pickle.dumps(module)), attribute)
    found = explain_text(f"AttributeError: '{class_}' object has no attribute '{attribute}'")
    assert f"install torch {SUPPLIED[attribute]} or a newer one" in ways(found)


def test_names_of_estimators_are_scikit_learn_s_and_no_others():
    theirs = {name for name, _ in all_estimators()}
    timm_s = {name for classes in class_record.modules().values() for name in classes}
    assert sum(bool(ESTIMATORS.fullmatch(name)) for name in theirs) > 100
    others = {*TORCH_CLASSES, *timm_s, "Encoder", "ImageClassifier", "LSTMRegressor", "Pipeline"}
    assert not [name for name in others if ESTIMATORS.fullmatch(name)]


def test_an_estimator_is_known_by_its_name_and_no_weights_are_promised():
    text = "AttributeError: 'LinearRegression' object has no attribute 'positive'"
    found = explain_text(text)
    assert "If it is that, and not another's" in found.changed and "fit()" not in found.changed
    assert "version of scikit-learn that wrote" in ways(found) and "rescue" not in ways(found)
    found = explain_text("'StandardScaler' object has no attribute 'scale_'")
    assert "may not have been fitted" in found.changed
    own = explain_text(f"model = torch.load(path)\n{text}")
    assert "If the object came whole out of a file: take the weights out" in ways(own)


NOT_A_PACKAGE = "ModuleNotFoundError: No module named '{}'; '{}' is not a package"


@pytest.mark.parametrize(
    "module, plain, package",
    [
        ("torchvision.ops.misc.blocks", "torchvision.ops.misc", "torchvision"),
        ("mmdet.models.heads.foo", "mmdet.models.heads", "mmdet"),
        ("skimage.feature.foo.bar", "skimage.feature.foo", "scikit-image"),
        ("barlib.nets.foo", "barlib.nets", "barlib"),
    ],
)
def test_one_file_where_a_package_is_wanted_is_as_a_rule_the_older_one(module, plain, package):
    found = explain_text(NOT_A_PACKAGE.format(module, plain))
    assert f"has {plain} as one file" in found.changed and found.error.endswith("not a package")
    assert "most often what is read is newer" in found.changed
    first, second, *_ = found.ways
    assert package in first.text and "first" in first.text
    assert first.commands == (() if package == "barlib" else (f"pip install --upgrade {package}",))
    assert f"Do not pip install {module}" in second.text
    read = explain_text(f"from {module} import Foo\n{NOT_A_PACKAGE.format(module, plain)}")
    assert "No file has a part in it" in read.changed and "rescue" not in ways(read)


def test_releases_that_made_a_package_of_a_file_say_which_is_older():
    for module, (last, first) in BECAME_PACKAGES.items():
        found = explain_text(NOT_A_PACKAGE.format(f"{module}.foo", module))
        assert f"one file up to {last} and as a package since {first}" in found.changed
        assert "installed one is older" in found.changed
        assert last not in explain_text(f"No module named '{module}.foo'").changed


def test_a_file_of_one_s_own_that_has_a_package_s_name_is_no_matter_of_versions():
    for package in ("torch", "barlib"):
        found = explain_text(
            f"import {package}.nn\n{NOT_A_PACKAGE.format(f'{package}.nn', package)}"
        )
        assert f"{package}.py" in found.changed and "no version" in found.changed
        assert "__file__" in ways(found) and "another name" in ways(found)
    assert "on the path" in ways(explain_text(NOT_A_PACKAGE.format("utils.general", "utils")))
