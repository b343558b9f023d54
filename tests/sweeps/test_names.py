"""Short names that cannot be mistaken."""

from ganlab.sweeps.names import short_names


def test_the_shortest_end_that_no_other_key_has():
    keys = ["optimizers.generator.lr", "optimizers.discriminator.lr", "architecture.loss", "kimg"]
    assert list(short_names(keys).values()) == ["generator.lr", "discriminator.lr", "loss", "kimg"]


def test_a_place_in_a_list_is_no_name():
    keys = ["architecture.regularizers.0.weight", "architecture.regularizers.1.weight", "data.mixing.0"]
    assert list(short_names(keys).values()) == ["regularizers.0.weight", "regularizers.1.weight", "mixing.0"]


def test_a_key_that_is_the_end_of_another_keeps_apart():
    assert short_names(["seed", "evaluation.seed"]) == {"seed": "seed", "evaluation.seed": "evaluation.seed"}
