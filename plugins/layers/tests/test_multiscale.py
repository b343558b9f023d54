"""The discriminator of several scales: parameters, what each scale sees, refusals."""

from __future__ import annotations

import pytest
import torch
from ganlab_layers.multiscale import MultiscaleDiscriminator

from ganlab import InputFacts, UserError
from ganlab.testing import parameter_count


def maps(classes, height, width, edges=True):
    both = {"label_map": classes, "edges": 2} if edges else {"label_map": classes}
    return {name: InputFacts((height, width), "maps", classes=number) for name, number in both.items()}


@pytest.mark.parametrize(
    ("size", "inputs", "parameters"),
    [
        ((256, 256), maps(183, 256, 256), 5_904_514),
        ((256, 256), maps(151, 256, 256, edges=False), 5_836_930),
        ((256, 512), maps(35, 256, 512), 5_601_410),
    ],
    ids=["COCO-Stuff", "ADE20K", "Cityscapes"],
)
def test_parameters_are_as_many_as_published(size, inputs, parameters):
    with torch.device("meta"):
        judge = MultiscaleDiscriminator((3, *size), inputs)
    assert parameter_count(judge) == parameters


def test_scales_see_the_image_at_half_the_size():
    torch.manual_seed(0)
    judge = MultiscaleDiscriminator((3, 33, 20), None, width=2, layers=3)
    images = torch.rand(2, 3, 33, 20)
    scores = judge(images)
    assert [len(layers) for layers in judge.scales] == [4, 4]
    assert len(scores.features) == 6
    halved = torch.nn.functional.avg_pool2d(images, 3, 2, 1, count_include_pad=False)
    for layer in judge.scales[1]:
        halved = layer(halved)
    torch.testing.assert_close(scores.further_logits[0], halved.squeeze(1))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MultiscaleDiscriminator((2,)), "multiscale judges images"),
        (lambda: MultiscaleDiscriminator((3, 9, 9), maps(3, 9, 9), width=2)(torch.rand(1, 3, 9, 9)), "not show it"),
    ],
)
def test_mistakes_end_in_a_sentence(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()


def test_smaller_images_are_judged_by_the_coarser_networks_alone():
    torch.manual_seed(0)
    judge = MultiscaleDiscriminator((3, 32, 64), None, width=2, layers=2, scales=3)
    images = torch.rand(2, 3, 32, 64)
    halved = torch.nn.functional.avg_pool2d(images, 3, 2, 1, count_include_pad=False)
    whole, half = judge(images), judge(halved)
    assert (len(whole.scales), len(half.scales), len(half.features)) == (3, 2, 4)
    for seen, expected in zip(half.scales, whole.scales[1:], strict=True):
        torch.testing.assert_close(seen, expected)
    assert len(judge(images[..., :8, :16]).scales) == 1
    assert len(judge(images[..., :4, :8]).scales) == 1
    assert len(judge(images[..., :16, :64]).scales) == 3
