import pytest
import torch
from ganlab_objectives.lecam import LeCam

from ganlab.contracts import Views
from ganlab.nn import RunningMean


def views(real, fake):
    return Views(real_logits=torch.tensor(real), fake_logits=torch.tensor(fake))


def commit(lecam):
    """What the platform does once after an update."""
    means = [module for module in lecam.modules() if isinstance(module, RunningMean)]
    assert len(means) == 2
    for mean in means:
        mean.commit()


def test_averages_are_unbiased_and_those_before_the_update():
    lecam = LeCam(decay=0.9, warm_up=0)
    for real, fake in (([1.0, 3.0], [-1.0, -3.0]), ([4.0, 6.0], [0.0, 0.0])):
        lecam.penalty(views(real, fake))
        commit(lecam)
    # Means 2 then 5 with weights 0.9 * 0.1 and 0.1, over their sum; -2 then 0.
    real_average, fake_average = (0.09 * 2 + 0.1 * 5) / 0.19, 0.09 * -2 / 0.19
    assert lecam.real_average.current().item() == pytest.approx(real_average)
    assert lecam.fake_average.current().item() == pytest.approx(fake_average)
    expected = ((2 - fake_average) ** 2 + 0) / 2 + ((real_average - 1) ** 2 + 0) / 2
    assert lecam.penalty(views([2.0, -5.0], [1.0, 9.0])).item() == pytest.approx(expected)


def test_gradient():
    lecam = LeCam(decay=0.0, warm_up=0)
    lecam.penalty(views([3.0], [-1.0]))
    commit(lecam)
    real = torch.tensor([2.0, -4.0], requires_grad=True)
    fake = torch.tensor([1.0, 5.0], requires_grad=True)
    lecam.penalty(Views(real_logits=real, fake_logits=fake)).backward()
    assert real.grad.tolist() == [2.0 - -1.0, 0.0]
    assert fake.grad.tolist() == [-(3.0 - 1.0), 0.0]


def test_nothing_is_penalised_during_the_warm_up():
    lecam = LeCam(warm_up=2)
    values = []
    for _ in range(4):
        values.append(lecam.penalty(views([5.0], [-5.0])).item())
        commit(lecam)
    assert values == [0.0, 0.0, pytest.approx(200.0, rel=1e-5), pytest.approx(200.0, rel=1e-5)]


def test_parts_of_a_batch_count_as_one_update():
    whole, parts = LeCam(decay=0.5), LeCam(decay=0.5)
    whole.penalty(views([1.0, 2.0, 3.0, 6.0], [0.0, 1.0, 2.0, 5.0]))
    parts.penalty(views([1.0, 2.0], [0.0, 1.0]))
    parts.penalty(views([3.0, 6.0], [2.0, 5.0]))
    for lecam in (whole, parts):
        commit(lecam)
    torch.testing.assert_close(whole.state_dict(), parts.state_dict())
    assert parts.real_average.current().item() == pytest.approx(3.0)


def test_numbers_that_are_not_finite_do_not_stay():
    lecam = LeCam(decay=0.5)
    for real in (2.0, float("nan"), 4.0):
        lecam.penalty(views([real], [0.0]))
        commit(lecam)
    assert lecam.real_average.updates == 2
    assert lecam.real_average.current().item() == pytest.approx((0.25 * 2 + 0.5 * 4) / 0.75)
