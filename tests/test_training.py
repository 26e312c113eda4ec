import torch

from helpers.layers import BlurPool2d
from helpers.training import compare, digit_net, load, place, train


def test_the_digits_are_the_real_ones():
    digits, labels = load()
    assert digits.shape == (1797, 16, 16) and labels.shape == (1797,)
    assert digits.min() >= 0 and 0.9 < digits.max() <= 1
    assert labels.unique().tolist() == list(range(10))


def test_a_placed_digit_is_whole_and_within_its_room():
    digits = torch.rand(50, 16, 16)
    pictures = place(digits, 5, torch.Generator().manual_seed(0))
    assert pictures.shape == (50, 1, 32, 32)
    torch.testing.assert_close(pictures.sum((1, 2, 3)), digits.sum((1, 2)))
    assert pictures[..., 21:, :].sum() == pictures[..., 21:].sum() == 0
    assert len({tuple(p[0].nonzero()[0].tolist()) for p in pictures}) > 10


def test_the_nets_differ_in_the_blur_alone():
    plain, blurred = digit_net(), digit_net(BlurPool2d)
    assert plain.state_dict().keys() == blurred.state_dict().keys()
    assert plain(torch.zeros(2, 1, 32, 32)).shape == blurred(torch.zeros(2, 1, 32, 32)).shape


def test_a_seed_gives_the_same_run_again_and_threads_stay_as_they_were():
    threads = torch.get_num_threads()
    one, other = (train(True, seed=1, epochs=1, train_size=64) for _ in range(2))
    assert one == other
    assert one != train(True, seed=2, epochs=1, train_size=64)
    assert torch.get_num_threads() == threads


def test_the_blur_makes_a_net_more_consistent():
    plain, blurred = compare([0], epochs=2)
    assert (plain.blurred, blurred.blurred) == (False, True)
    assert plain.epochs == blurred.epochs == 2
    assert blurred.consistency > plain.consistency
    assert blurred.accuracy > 0.3, "it has learned something"


def test_one_kind_alone_can_be_trained():
    (run,) = compare([0], epochs=1, kinds=[False])
    assert (run.seed, run.blurred, run.epochs) == (0, False, 1)
