"""StyleGAN2 of other programs: files of their structure, whose images an independent forward computes in float64."""

import math

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, one_hot, pad

import ganlab
from ganlab.errors import RunError, UserError
from ganlab.exchange.importing import import_generator
from ganlab.testing.network_pickles import network, write_network_pickle

SIZE, LATENT, RESOLUTION, CLASSES, RATE = 6, 5, 16, 3, 0.01
CHANNELS = {4: 8, 8: 8, 16: 4}
FILTER = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


def drawn(*shape):
    return torch.randn(*shape)


def weights(classes=0):
    """Tensors by NVIDIA's names, before the constant factors that the layers have."""
    torch.manual_seed(0)
    found = {"mapping.w_avg": drawn(SIZE), "synthesis.b4.const": drawn(8, 4, 4)}
    inputs = LATENT + (SIZE if classes else 0)
    if classes:
        found |= {"mapping.embed.weight": drawn(SIZE, classes), "mapping.embed.bias": drawn(SIZE)}
    for index in range(2):
        found |= {f"mapping.fc{index}.weight": drawn(SIZE, inputs if index == 0 else SIZE) / RATE}
        found |= {f"mapping.fc{index}.bias": drawn(SIZE) * 10}
    for resolution, channels in CHANNELS.items():
        before = CHANNELS.get(resolution // 2, channels)
        places = {"conv1": (channels, channels, 3), "torgb": (channels, 3, 1)}
        if resolution > 4:
            places["conv0"] = (before, channels, 3)
        for place, (ins, outs, side) in places.items():
            name = f"synthesis.b{resolution}.{place}"
            found |= {f"{name}.weight": drawn(outs, ins, side, side), f"{name}.bias": drawn(outs)}
            found |= {f"{name}.affine.weight": drawn(ins, SIZE), f"{name}.affine.bias": 1 + 0.3 * drawn(ins)}
            if place != "torgb":
                found |= {f"{name}.noise_strength": drawn(1)[0]}
    return found


def normalised(x):
    return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()


def styles_of(t, latents, labels, psi):
    x = normalised(latents.double())
    if labels is not None:
        weight = t["mapping.embed.weight"]
        vectors = one_hot(labels, CLASSES).double() @ weight.t() / math.sqrt(CLASSES) + t["mapping.embed.bias"]
        x = torch.cat([x, normalised(vectors)], 1)
    for index in range(2):
        weight = t[f"mapping.fc{index}.weight"]
        x = x @ weight.t() * RATE / math.sqrt(weight.shape[1]) + t[f"mapping.fc{index}.bias"] * RATE
        x = leaky_relu(x, 0.2) * math.sqrt(2)
    return t["mapping.w_avg"] + psi * (x - t["mapping.w_avg"])


def filtered(maps):
    kernel = torch.outer(FILTER, FILTER).double() * 4
    return conv2d(maps.flatten(0, 1)[:, None], kernel[None, None]).unflatten(0, maps.shape[:2])[:, :, 0]


def modulated(t, w, maps, name, up=False, demodulate=True):
    weight, affine = t[f"{name}.weight"], t[f"{name}.affine.weight"]
    styles = w @ affine.t() / math.sqrt(SIZE) + t[f"{name}.affine.bias"]
    made = []
    for one, style in zip(maps, styles, strict=True):
        own = weight / math.sqrt(weight[0].numel()) * style[None, :, None, None]
        if demodulate:
            own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:
            made.append(filtered(pad(conv_transpose2d(one[None], own.transpose(0, 1), stride=2), (1, 1, 1, 1))))
        else:
            made.append(conv2d(one[None], own, padding=own.shape[-1] // 2))
    return torch.cat(made) + t[f"{name}.bias"][:, None, None]


def images(found, latents, labels=None, psi=1.0):
    """What the paper says of these weights: a weight for each image, convolved by itself, in float64."""
    t = {name: value.double() for name, value in found.items()}
    w = styles_of(t, latents, labels, psi)
    maps, shown = t["synthesis.b4.const"].expand(len(latents), -1, -1, -1), None
    for resolution in CHANNELS:
        for place in ("conv0", "conv1") if resolution > 4 else ("conv1",):
            maps = modulated(t, w, maps, f"synthesis.b{resolution}.{place}", up=place == "conv0")
            maps = leaky_relu(maps, 0.2) * math.sqrt(2)
        own = modulated(t, w, maps, f"synthesis.b{resolution}.torgb", demodulate=False)
        if shown is not None:
            spread = torch.zeros(*shown.shape[:2], resolution, resolution, dtype=torch.float64)
            spread[:, :, ::2, ::2] = shown
            own = own + filtered(pad(spread, (2, 1, 2, 1)))
        shown = own
    return shown


def nvidia(found, **attributes):
    """The content of a network pickle with these tensors."""

    def layer(name, **more):
        mine = {k.removeprefix(f"{name}."): v for k, v in found.items() if k.startswith(f"{name}.")}
        inner = {k: v for k, v in mine.items() if "." not in k}
        affine = {k.removeprefix("affine."): v for k, v in mine.items() if k.startswith("affine.")}
        modules = {"affine": network("FullyConnectedLayer", affine)} if affine else {}
        buffers = {"resample_filter": torch.outer(FILTER, FILTER)} if affine else {}
        if "noise_strength" in inner:
            buffers["noise_const"] = torch.randn(4, 4)
        return network("Layer", inner, buffers, modules, activation="lrelu", conv_clamp=None, **more)

    blocks = {}
    for resolution in CHANNELS:
        names = ["conv1", "torgb"] if resolution == 4 else ["conv0", "conv1", "torgb"]
        parameters = {"const": found["synthesis.b4.const"]} if resolution == 4 else {}
        modules = {name: layer(f"synthesis.b{resolution}.{name}", **attributes) for name in names}
        buffers = {"resample_filter": torch.outer(FILTER, FILTER)}
        blocks[f"b{resolution}"] = network("SynthesisBlock", parameters, buffers, modules, architecture="skip")
    names = [name for name in ("embed", "fc0", "fc1") if f"mapping.{name}.weight" in found]
    dense = {name: layer(f"mapping.{name}", bias_gain=RATE) for name in names}
    mapping = network("MappingNetwork", {}, {"w_avg": found["mapping.w_avg"]}, dense)
    parts = {"synthesis": network("SynthesisNetwork", modules=blocks), "mapping": mapping}
    other = network("Discriminator")
    return {"G": other, "D": other, "G_ema": network("Generator", modules=parts, z_dim=LATENT), "augment_pipe": None}


def rosinality(found):
    """The same tensors by the names of stylegan2-pytorch."""
    state = {"input.input": found["synthesis.b4.const"][None]}
    for index in range(2):
        state |= {f"style.{index + 1}.{part}": found[f"mapping.fc{index}.{part}"] for part in ("weight", "bias")}
    names = {"conv1": "b4.conv1", "to_rgb1": "b4.torgb"}
    for index, resolution in enumerate((8, 16)):
        names |= {f"convs.{2 * index}": f"b{resolution}.conv0", f"convs.{2 * index + 1}": f"b{resolution}.conv1"}
        names[f"to_rgbs.{index}"] = f"b{resolution}.torgb"
        state[f"to_rgbs.{index}.upsample.kernel"] = torch.outer(FILTER, FILTER) * 4
        state[f"convs.{2 * index}.conv.blur.kernel"] = torch.outer(FILTER, FILTER) * 4
    for name, other in names.items():
        other = f"synthesis.{other}"
        state[f"{name}.conv.weight"] = found[f"{other}.weight"][None]
        state |= {f"{name}.conv.modulation.{part}": found[f"{other}.affine.{part}"] for part in ("weight", "bias")}
        if "to_rgb" in name:
            state[f"{name}.bias"] = found[f"{other}.bias"][None, :, None, None]
        else:
            state[f"{name}.activate.bias"] = found[f"{other}.bias"]
            state[f"{name}.noise.weight"] = found[f"{other}.noise_strength"][None]
    state |= {f"noises.noise_{index}": torch.randn(1, 1, 4, 4) for index in range(5)}
    return {"g_ema": state, "latent_avg": found["mapping.w_avg"]}


def check(path, found, classes=0):
    generator = ganlab.load(path, device="cpu")
    latents = generator.draw(3, 1)
    assert generator.facts.classes == classes
    assert (latents.labels is not None) == bool(classes)
    for psi in (1.0, 0.5):
        made = generator.render(latents, psi=psi, noise="none")
        expected = images(found, latents.values, latents.labels, psi)
        torch.testing.assert_close(made.double(), expected, atol=1e-4, rtol=1e-4)
    assert not torch.equal(generator.render(latents), generator.render(latents, noise="none"))


@pytest.mark.parametrize("classes", [0, CLASSES])
def test_nvidias_pickles_make_the_same_images(classes, tmp_path):
    found = weights(classes)
    source = write_network_pickle(tmp_path / "network.pkl", nvidia(found))
    imported = import_generator(source, "nvidia_stylegan2", tmp_path / "run")
    assert "noise" in imported.remarks[0]
    check(imported.path, found, classes)


def test_rosinalitys_checkpoints_make_the_same_images(tmp_path):
    found = weights()
    torch.save(rosinality(found), tmp_path / "x.pt")
    check(import_generator(tmp_path / "x.pt", "rosinality_stylegan2", tmp_path / "x.safetensors").path, found)


def test_files_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "x.pt"
    content = rosinality(weights())
    for change, sentence in (
        (lambda state: state.pop("convs.1.activate.bias"), "lacks the tensor 'convs.1.activate.bias'"),
        (lambda state: state.update(extra=torch.ones(1)), "no place for 'extra'"),
        (lambda state: state.update({"conv1.activate.bias": torch.ones(3)}), r"shape \(3,\) does not fit"),
        (lambda state: state.update({"convs.2.conv.weight": torch.ones(1, 9, 8, 3, 3)}), "4 pixels have 8 channels"),
        (lambda state: state.update({"conv1.activate.bias": torch.full((8,), math.nan)}), "nothing for"),
    ):
        state = dict(content["g_ema"])
        change(state)
        torch.save({**content, "g_ema": state}, path)
        with pytest.raises((RunError, UserError), match=sentence):
            import_generator(path, "rosinality_stylegan2", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="no network 'G_ema'"):
        import_generator(path, "nvidia_stylegan2", tmp_path / "out")
