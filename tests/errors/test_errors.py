"""Every bad input is refused with a message that names the fault and the remedy."""

from pathlib import Path

import bad_inputs
import pytest

CASES = bad_inputs.load()


@pytest.mark.parametrize("case", CASES, ids=[f"{case.subject}: {case.fault}" for case in CASES])
def test_bad_input_is_refused(case: bad_inputs.BadInput, tmp_path: Path):
    message = case.message(tmp_path)
    assert "Traceback" not in message
    for name in case.names:
        assert name in message
