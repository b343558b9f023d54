"""BigGAN of other programs: files of their structure, whose images an independent forward computes in float64."""

import pytest
import torch
from torch.nn.functional import conv2d, interpolate, max_pool2d, normalize, relu

import ganlab
from ganlab.errors import RunError, UserError
from ganlab.exchange.importing import import_generator

SHARED, CHUNK, CLASSES, WIDTHS = 3, 2, 4, [8, 6, 4]


def normed(tensors, name, *shape, style, bias=True):
    """A layer with the vectors of its spectral norm, as a program keeps them."""
    weight, u = torch.randn(shape), normalize(torch.randn(shape[0]), dim=0)
    matrix = weight.flatten(1)
    if style == "pytorch":
        tensors |= {f"{name}.weight": weight, f"{name}.u0": u[None], f"{name}.sv0": torch.ones(1)}
    else:
        v = normalize(u @ matrix, dim=0)
        tensors |= {f"{name}.weight_orig": weight, f"{name}.weight_u": u, f"{name}.weight_v": v}
    if bias:
        tensors[f"{name}.bias"] = torch.randn(shape[0]) / 3


def used(t, name):
    """The weight over its spectral norm, by what the program keeps."""
    if f"{name}.weight_orig" in t:
        weight, u, v = (t[f"{name}.weight_{part}"].double() for part in ("orig", "u", "v"))
        return weight / (u @ weight.flatten(1) @ v)
    weight = t[f"{name}.weight"].double()
    matrix, u = weight.flatten(1), t[f"{name}.u0"][0].double()
    v = normalize(u @ matrix, dim=0)
    return weight / (normalize(matrix @ v, dim=0) @ matrix @ v)


def statistics(tensors, name, channels, mean, variance, rows=()):
    tensors |= {f"{name}.{mean}": torch.randn(*rows, channels), f"{name}.{variance}": 0.5 + torch.rand(*rows, channels)}


def attend(t, x, names, strength):
    weights = [used(t, name) for name in names]
    query = conv2d(x, weights[0]).flatten(2)
    key, value = (max_pool2d(conv2d(x, weight), 2).flatten(2) for weight in weights[1:3])
    shares = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
    return x + t[strength].double() * conv2d(
        (value @ shares.transpose(1, 2)).view(len(x), -1, *x.shape[2:]), weights[3]
    )


def batch_norm(x, mean, variance, eps):
    shape = (-1, 1, 1)
    return (x - mean.double().view(shape)) / (variance.double().view(shape) + eps).sqrt()


STYLES = {
    "biggan_pytorch": {
        "style": "pytorch", "first": "linear", "convs": ("conv1", "conv2", "conv_sc"), "stats": "{}.stored_{}",
        "attention": "blocks.0.1", "parts": ("theta", "phi", "g", "o"), "gamma": "gamma", "second": "blocks.1.0",
        "last": "output_layer.2", "bn": "output_layer.0", "affine": ("gain", "bias"), "eps": 1e-5,
        "mean": ("stored_mean", "stored_var"), "inner": "",
    },
    "studiogan": {
        "style": "hooks", "first": "linear0", "convs": ("conv2d1", "conv2d2", "conv2d0"), "attention": "blocks.1.0",
        "parts": ("conv1x1_theta", "conv1x1_phi", "conv1x1_g", "conv1x1_attn"), "gamma": "sigma",
        "second": "blocks.2.0", "last": "conv5", "bn": "bn4", "affine": ("weight", "bias"), "eps": 1e-4,
        "mean": ("running_mean", "running_var"), "inner": "bn.",
    },
}  # fmt: skip


def residual(form):
    torch.manual_seed(0)
    f, t = STYLES[form], {"shared.weight": torch.randn(CLASSES, SHARED)}
    normed(t, f["first"], 16 * WIDTHS[0], CHUNK, style=f["style"])
    for block, inputs, outputs in zip(("blocks.0.0", f["second"]), WIDTHS, WIDTHS[1:], strict=False):
        sizes = ((outputs, inputs, 3, 3), (outputs, outputs, 3, 3), (outputs, inputs, 1, 1))
        for name, shape in zip(f["convs"], sizes, strict=True):
            normed(t, f"{block}.{name}", *shape, style=f["style"])
        for name, channels in (("bn1", inputs), ("bn2", outputs)):
            for part in ("gain", "bias"):
                normed(t, f"{block}.{name}.{part}", channels, SHARED + CHUNK, style=f["style"], bias=False)
            statistics(t, f"{block}.{name}", channels, *(f["inner"] + name for name in f["mean"]))
    for name, shape in zip(f["parts"], ((1, 6), (1, 6), (3, 6), (6, 3)), strict=True):
        normed(t, f"{f['attention']}.{name}", *shape, 1, 1, style=f["style"], bias=False)
    t[f"{f['attention']}.{f['gamma']}"] = torch.tensor(0.7)
    t |= {f"{f['bn']}.{name}": torch.randn(WIDTHS[-1]) for name in f["affine"]}
    statistics(t, f["bn"], WIDTHS[-1], *f["mean"])
    normed(t, f["last"], 3, WIDTHS[-1], 3, 3, style=f["style"])
    return t


def residual_images(form, t, latents, labels):
    f = STYLES[form]
    label = t["shared.weight"].double()[labels]
    first, *chunks = latents.double().split(CHUNK, 1)
    x = (first @ used(t, f["first"]).t() + t[f"{f['first']}.bias"].double()).view(len(first), -1, 4, 4)

    def norm(x, name, y):
        mean, variance = (t[f"{name}.{f['inner']}{part}"] for part in f["mean"])
        gain, bias = (y @ used(t, f"{name}.{part}").t() for part in ("gain", "bias"))
        return batch_norm(x, mean, variance, f["eps"]) * (1 + gain[:, :, None, None]) + bias[:, :, None, None]

    def conv(x, name):
        weight = used(t, name)
        return conv2d(x, weight, t[f"{name}.bias"].double(), padding=weight.shape[-1] // 2)

    for index, block in enumerate(("blocks.0.0", f["second"])):
        y = torch.cat([label, chunks[index]], 1)
        inside = interpolate(relu(norm(x, f"{block}.bn1", y)), scale_factor=2)
        inside = conv(inside, f"{block}.{f['convs'][0]}")
        inside = conv(relu(norm(inside, f"{block}.bn2", y)), f"{block}.{f['convs'][1]}")
        x = inside + conv(interpolate(x, scale_factor=2), f"{block}.{f['convs'][2]}")
        if index == 0:
            x = attend(t, x, [f"{f['attention']}.{name}" for name in f["parts"]], f"{f['attention']}.{f['gamma']}")
    gain, bias = (t[f"{f['bn']}.{name}"].double()[:, None, None] for name in f["affine"])
    x = relu(batch_norm(x, *(t[f"{f['bn']}.{part}"] for part in f["mean"]), f["eps"]) * gain + bias)
    return conv(x, f["last"]).tanh()


def deep():
    torch.manual_seed(0)
    t = {"embeddings.weight": torch.randn(SHARED, CLASSES)}
    normed(t, "generator.gen_z", 16 * 8, 5 + SHARED, style="hooks")
    for index, (inputs, outputs) in enumerate(((8, 8), (8, 8), (8, 8), (8, 4))):
        block, inside = f"generator.layers.{index + (index > 1)}", inputs // 4
        sizes = ((inside, inputs, 1, 1), (inside, inside, 3, 3), (inside, inside, 3, 3), (outputs, inside, 1, 1))
        for number, (shape, channels) in enumerate(zip(sizes, (inputs, inside, inside, inside), strict=True)):
            normed(t, f"{block}.conv_{number}", *shape, style="hooks")
            for part in ("scale", "offset"):
                normed(t, f"{block}.bn_{number}.{part}", channels, 5 + SHARED, style="hooks", bias=False)
            statistics(t, f"{block}.bn_{number}", channels, "running_means", "running_vars", (51,))
    for name, shape in zip(("theta", "phi", "g", "o_conv"), ((1, 8), (1, 8), (4, 8), (8, 4)), strict=True):
        normed(t, f"generator.layers.2.snconv1x1_{name}", *shape, 1, 1, style="hooks", bias=False)
    t["generator.layers.2.gamma"] = torch.tensor([0.6])
    t |= {"generator.bn.weight": torch.randn(4), "generator.bn.bias": torch.randn(4)}
    statistics(t, "generator.bn", 4, "running_means", "running_vars", (51,))
    normed(t, "generator.conv_to_rgb", 4, 4, 3, 3, style="hooks")
    return t


def deep_images(t, latents, labels, step):
    y = torch.cat([latents.double(), t["embeddings.weight"].double().t()[labels]], 1)
    x = y @ used(t, "generator.gen_z").t() + t["generator.gen_z.bias"].double()
    x = x.view(-1, 4, 4, 8).permute(0, 3, 1, 2)

    def norm(x, name):
        gain, bias = (y @ used(t, f"{name}.{part}").t() for part in ("scale", "offset"))
        made = batch_norm(x, t[f"{name}.running_means"][step], t[f"{name}.running_vars"][step], 1e-4)
        return relu(made * (1 + gain[:, :, None, None]) + bias[:, :, None, None])

    def conv(x, name):
        weight = used(t, name)
        return conv2d(x, weight, t[f"{name}.bias"].double(), padding=weight.shape[-1] // 2)

    for index, outputs in enumerate((8, 8, 8, 4)):
        block, beside = f"generator.layers.{index + (index > 1)}", x
        for number in range(4):
            x = norm(x, f"{block}.bn_{number}")
            x = conv(interpolate(x, scale_factor=2) if number == 1 and index % 2 else x, f"{block}.conv_{number}")
        beside = beside[:, :outputs]
        x = x + (interpolate(beside, scale_factor=2) if index % 2 else beside)
        if index == 1:
            names = [f"generator.layers.2.snconv1x1_{name}" for name in ("theta", "phi", "g", "o_conv")]
            x = attend(t, x, names, "generator.layers.2.gamma")
    x = batch_norm(x, t["generator.bn.running_means"][step], t["generator.bn.running_vars"][step], 1e-4)
    x = relu(x * t["generator.bn.weight"].double()[:, None, None] + t["generator.bn.bias"].double()[:, None, None])
    return conv(x, "generator.conv_to_rgb")[:, :3].tanh()


@pytest.mark.parametrize("form", STYLES)
def test_residual_generators_make_the_same_images(form, tmp_path):
    t = residual(form)
    torch.save(t if form == "biggan_pytorch" else {"state_dict": t, "step": 3}, tmp_path / "x.pth")
    generator = ganlab.load(import_generator(tmp_path / "x.pth", form, tmp_path / "out").path, device="cpu")
    assert generator.facts.classes == CLASSES
    latents = generator.draw(4, 1, label=[0, 3, 1, 2])
    expected = residual_images(form, t, latents.values, latents.labels)
    torch.testing.assert_close(generator.render(latents).double(), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("truncation", [1.0, 0.5])
def test_the_port_of_the_hub_makes_the_same_images(truncation, tmp_path):
    t = deep()
    torch.save(t, tmp_path / "pytorch_model.bin")
    node = {"name": "biggan_hub", "truncation": truncation}
    imported = import_generator(tmp_path / "pytorch_model.bin", node, tmp_path / "out")
    assert f"truncation of {truncation:g}" in imported.remarks[0]
    generator = ganlab.load(imported.path, device="cpu")
    latents = generator.draw(3, 1, label=[0, 3, 1])
    expected = deep_images(t, latents.values, latents.labels, round(truncation * 50))
    torch.testing.assert_close(generator.render(latents).double(), expected, atol=1e-5, rtol=1e-4)


def test_files_that_do_not_fit_are_refused(tmp_path):
    path, t = tmp_path / "x.pth", residual("biggan_pytorch")
    torch.save({name: value for name, value in t.items() if name != "blocks.1.0.bn2.stored_var"}, path)
    with pytest.raises(RunError, match="lacks the tensor 'blocks.1.0.bn2.stored_var'"):
        import_generator(path, "biggan_pytorch", tmp_path / "out")
    torch.save({name: value for name, value in t.items() if not name.startswith("shared")}, path)
    with pytest.raises(UserError, match="shared embeddings alone"):
        import_generator(path, "biggan_pytorch", tmp_path / "out")
    with pytest.raises(UserError, match="multiples of 0.02 only"):
        import_generator(path, {"name": "biggan_hub", "truncation": 0.51}, tmp_path / "out")
