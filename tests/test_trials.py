import pytest

from helpers.check_model import UnsuitableModel, check_model


def test_a_model_that_tells_the_story_is_accepted():
    line = check_model("rexnet_100", "1.0.3", ["1.0.12"])
    assert "rexnet_100: 49 ConvNormAct blocks in timm 1.0.3" in line and "1.0.12" in line


@pytest.mark.parametrize(
    "model_name, reason",
    [
        ("nope", "timm 1.0.3 has no model 'nope'"),
        ("resnet18", "resnet18 holds no ConvNormAct"),
        ("botnet26t_256", "one size alone: set image_size to 256"),
        ("fastvit_t8", "another error in 1.0.12: AttributeError: .*no attribute 'se'"),
    ],
)
def test_any_other_is_refused_with_the_reason_and_with_models_that_work(model_name, reason):
    with pytest.raises(UnsuitableModel, match=f"{reason}.*models that work here: regnetx_002"):
        check_model(model_name, "1.0.3", ["1.0.12"])


def test_a_model_of_one_picture_size_is_accepted_at_that_size():
    assert "botnet26t_256: " in check_model("botnet26t_256", "1.0.3", ["1.0.12"], 256)


def test_a_model_that_still_fails_is_accepted_where_a_lesson_needs_that():
    line = check_model("mobilenetv2_100", "1.0.3", ["1.0.31"], fails="has no attribute")
    assert line == "mobilenetv2_100: written whole by timm 1.0.3, it fails in 1.0.31"


@pytest.mark.parametrize(
    "model_name, fails, reason",
    [
        ("regnetx_002", "has no attribute", "still runs in 1.0.31, and this lesson needs a file"),
        ("mobilenetv2_100", "No module named", "another error in 1.0.31: .*no attribute"),
        ("nope", "has no attribute", "timm 1.0.3 has no model 'nope'"),
    ],
)
def test_where_a_failure_is_needed_any_other_model_is_refused(model_name, fails, reason):
    with pytest.raises(UnsuitableModel, match=f"{reason}.*models that work here: mobilenetv2_100"):
        check_model(model_name, "1.0.3", ["1.0.31"], fails=fails)
