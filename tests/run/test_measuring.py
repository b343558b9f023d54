"""Which metrics `ganlab evaluate` measures."""

from __future__ import annotations

import pytest

from ganlab.errors import UserError
from ganlab.run.measuring import choose_metrics


@pytest.mark.parametrize("names", ["", ",,", " , ", "[]"])
def test_a_list_without_a_metric_is_a_sentence(names):
    with pytest.raises(UserError, match="names no metric; name some, as in --metrics swd,kid"):
        choose_metrics(names, ())
