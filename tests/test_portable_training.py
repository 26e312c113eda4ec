"""A training that is interrupted and resumed ends as one that was not, bit for bit."""

import os
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset

from missing_aa import load_portable, load_training, save_portable
from missing_aa.errors import CheckpointError, Refused, UsageProblem
from portable_files import make, told

DATA = TensorDataset(
    torch.randn(24, 3, 32, 32, generator=torch.Generator().manual_seed(0)),
    torch.arange(24) % 4,
)
MADE_WITH = {"num_classes": 4, "img_size": 32, "drop_rate": 0.3, "drop_path_rate": 0.2}


class Training:
    """A training with everything that draws random numbers: shuffling, dropout, augmentation."""

    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        self.scheduler = CosineAnnealingLR(self.optimizer, T_max=4)
        self.order = torch.Generator().manual_seed(7)

    @property
    def parts(self):
        return {"optimizer": self.optimizer, "scheduler": self.scheduler, "order": self.order}

    def epoch(self) -> None:
        self.model.train()
        for images, labels in DataLoader(DATA, batch_size=8, shuffle=True, generator=self.order):
            images = images + random.gauss(0, 0.1) + float(np.random.normal(0, 0.1))
            images = images.roll(int(torch.randint(0, 8, ())), -1)
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.model(images), labels).backward()
            self.optimizer.step()
        self.scheduler.step()


def seed() -> None:
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)


def start() -> Training:
    seed()
    return Training(make("test_vit", **MADE_WITH))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A folder after two of four epochs."""
    folder = tmp_path_factory.mktemp("training") / "out"
    training = start()
    training.epoch()
    training.epoch()
    parts = {**training.parts, "epoch": 2, "best": [0.5]}
    save_portable(training.model, folder, training=parts, model_args=told(MADE_WITH))
    return folder


def test_two_epochs_and_two_more_are_four(interrupted):
    whole = start()
    for _ in range(4):
        whole.epoch()
    expected = {name: value.clone() for name, value in whole.model.state_dict().items()}
    random.seed(99)
    np.random.seed(99)
    torch.manual_seed(99)
    resumed = Training(load_portable(interrupted))
    assert load_training(interrupted, **resumed.parts) == {"epoch": 2, "best": [0.5]}
    resumed.epoch()
    resumed.epoch()
    found = resumed.model.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert whole.scheduler.get_last_lr() == resumed.scheduler.get_last_lr()
    assert random.random() == whole_random(whole)


def whole_random(whole: Training) -> float:
    """What Python draws after four epochs without a break: the fourth number of a fresh run."""
    seed()
    for _ in range(4):
        for _ in range(3):
            random.gauss(0, 0.1)
    return random.random()


def test_neither_saving_nor_loading_draws_random_numbers(tmp_path):
    model = make("swiftformer_xs")  # draws some as it is built
    seed()
    save_portable(model, tmp_path / "out", training={})
    load_portable(tmp_path / "out")
    assert torch.equal(torch.rand(2), torch.rand(2, generator=torch.Generator().manual_seed(1)))


def test_every_state_is_asked_for_by_its_name(interrupted):
    training = start()
    with pytest.raises(
        UsageProblem, match=r"optimizer, order, scheduler; .*look at order, scheduler"
    ):
        load_training(interrupted, optimizer=training.optimizer)
    with pytest.raises(UsageProblem, match="look at scaler"):
        load_training(interrupted, **training.parts, scaler=torch.Generator())


def test_an_optimizer_over_other_parameters_is_named(interrupted):
    training = start()
    training.optimizer = torch.optim.AdamW(list(training.model.parameters())[:3])
    with pytest.raises(UsageProblem, match="optimizer does not take the state that was saved"):
        load_training(interrupted, **training.parts)


def test_the_training_of_another_save_is_refused(interrupted, tmp_path):
    model = make("test_resnet")
    save_portable(model, tmp_path / "one", training={"epoch": 1})
    save_portable(model, tmp_path / "two", training={"epoch": 2})
    os.replace(tmp_path / "two" / "training.pt", tmp_path / "one" / "training.pt")
    with pytest.raises(Refused, match="training.pt is not the file"):
        load_training(tmp_path / "one")


def test_a_model_without_training_says_so(tmp_path):
    save_portable(make("test_resnet"), tmp_path / "out")
    with pytest.raises(CheckpointError, match="holds a model only"):
        load_training(tmp_path / "out")


@pytest.mark.parametrize("rule", [len, lambda epoch: 1, nn.Linear])
def test_what_cannot_be_loaded_again_is_named_before_it_is_kept(tmp_path, rule):
    training = {"epoch": 1, "rule": rule, "more": nn.Linear(2, 2)}
    with pytest.raises(UsageProblem, match="'rule' holds something else"):
        save_portable(make("test_resnet"), tmp_path / "out", training=training)
    assert list(tmp_path.iterdir()) == []


def test_a_save_without_training_takes_the_old_one_away(tmp_path):
    model = make("test_resnet")
    save_portable(model, tmp_path / "out", training={"epoch": 1})
    assert load_training(tmp_path / "out") == {"epoch": 1}
    save_portable(model, tmp_path / "out", force=True)
    assert sorted(os.listdir(tmp_path / "out")) == ["config.json", "model.safetensors"]
