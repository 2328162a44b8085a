"""Processes of torch.distributed that train together do what one does on all their examples."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twins import ON_TORCH, assert_close

WORKER = Path(__file__).with_name("process_cases.py")
LIMIT = 240  # seconds, for all that a group of processes does


def run_all(folder: Path, group: str, count: int = 2, limit: float = LIMIT) -> list[int]:
    """The exit codes of ``count`` processes that run a group of cases; none outlives the call."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, str(WORKER)]
    processes = [
        subprocess.Popen([*command, str(rank), str(count), str(folder), group], env=environment)
        for rank in range(count)
    ]
    try:
        end = time.monotonic() + limit
        return [process.wait(max(0.1, end - time.monotonic())) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def results(folder: Path, ranks: int = 2) -> list[Any]:
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(ranks)]


if ON_TORCH:
    from process_cases import BATCH, BATCHES, CASES, COLUMNS, FIRST, LENGTH

    def test_as_one_process_on_all_examples(tmp_path: Path) -> None:
        """All cases in one test, for to start processes takes much longer than to run them."""
        assert run_all(tmp_path, "cases") == [0, 0]
        both = [dict(np.load(tmp_path / f"{rank}.npz")) for rank in range(2)]
        wrong: dict[str, str] = {}
        for name, case in CASES.items():
            of_case = [
                [array for key, array in sorted(one.items()) if key.startswith(f"{name}/")]
                for one in both
            ]
            # Where one process has read in between, another one's rows may differ by rounding.
            equal = 1e-6 if name == "train_on_batch" else 0.0
            try:
                assert_close(of_case[0], case(None))
                assert_close(of_case[0], of_case[1], equal)
            except AssertionError as error:
                wrong[name] = str(error)
        assert not wrong

    @pytest.fixture(scope="module")
    def errors(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
        folder = tmp_path_factory.mktemp("errors")
        assert run_all(folder, "errors") == [0, 0]
        return results(folder)

    @pytest.mark.parametrize("updates", ["exact", "dense"])
    def test_a_bad_id_in_one_process_harms_no_row_in_any(
        updates: str, errors: list[dict[str, Any]]
    ) -> None:
        first, second = (one[f"bad id, {updates}"] for one in errors)
        assert first.startswith("InvalidIdError: Process 1 met a bad id in batch 2 of the epoch")
        assert second.startswith("InvalidIdError: Layer 'words' has 30 rows")
        assert "Received: 35 at position (0, 1)" in second
        assert [one[f"unharmed, {updates}"] for one in errors] == [True, True]

    @pytest.mark.parametrize("what", ["bad id in train_on_batch", "bad id read early"])
    def test_a_bad_id_is_told_by_all(what: str, errors: list[dict[str, Any]]) -> None:
        assert errors[0][what].startswith("InvalidIdError: Process 1 met a bad id in batch 0")
        assert "Received: 35 at position (0, 1)" in errors[1][what]

    @pytest.mark.parametrize(
        ("what", "words"),
        [
            (
                "fewer batches",
                "process 0 ended its epoch after 3 batches; process 1 trains batch 3",
            ),
            (
                "fewer epochs",
                "process 0 trains batch 0 of its epoch, counted from 0; process 1 ende",
            ),
            (
                "another rate",
                "Here the learning rate differs (process 0: 0.5, process 1: 0.3333333",
            ),
            ("another model", "Here the model or its optimizer differs"),
            ("compiled otherwise", "Here the model or its optimizer differs"),
        ],
    )
    def test_processes_that_differ_are_an_error_in_both(
        what: str, words: str, errors: list[dict[str, Any]]
    ) -> None:
        for one in errors:
            assert one[what].startswith("InvalidArgumentError: Processes that train together")
            assert words in one[what]

    @pytest.mark.parametrize(
        ("what", "words"),
        [
            ("a callback failed", "Process 1 of 2 ended training by an error"),
            ("a layer failed", "Process 0 of 2 lost another one"),  # in the middle of a step
        ],
    )
    def test_a_process_that_fails_lets_no_other_wait(
        what: str, words: str, errors: list[dict[str, Any]]
    ) -> None:
        first, second = (one[what] for one in errors)
        assert first.startswith(f"WorkerError: {words}")
        assert what in second
        assert not second.startswith("WorkerError")
        assert errors[0][f"sum, {what}"] == errors[1][f"sum, {what}"]

    def test_after_errors_all_begin_again_with_the_values_of_the_first(
        errors: list[dict[str, Any]],
    ) -> None:
        assert [one["afterwards"] for one in errors] == ["nothing", "nothing"]
        assert errors[0]["sum"] == errors[1]["sum"]

    @pytest.mark.parametrize("count", [2, 3])
    def test_a_process_that_is_lost_is_an_error_in_the_others(count: int, tmp_path: Path) -> None:
        assert run_all(tmp_path, "killed", count) == [*[0] * (count - 1), 3]
        for one in results(tmp_path, count - 1):
            assert one["error"].startswith("WorkerError: Process ")
            assert "torch.distributed says: " in one["error"]

    @pytest.fixture(scope="module")
    def others(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
        folder = tmp_path_factory.mktemp("others")
        assert run_all(folder, "others") == [0, 0]
        return results(folder)

    def test_only_rows_that_are_looked_up_travel(others: list[dict[str, Any]]) -> None:
        for one in others:
            small, large = one["sent, 1000"], one["sent, 100000"]
            assert small == large
            assert "broadcast" not in large
            # A number of 64 bits counts as two. The beginning and the end of `fit` have a message,
            # and so has the end of the epoch.
            most = (BATCH - FIRST) * LENGTH
            assert large["all_gather"] == [2 * 6 + 1 + most] * (BATCHES + 3)
            dense = LENGTH * COLUMNS + 1
            assert len(large["all_reduce"]) == BATCHES
            assert max(large["all_reduce"]) <= BATCH * LENGTH * COLUMNS + dense + 3
            assert one["sent by reading"] == {}

    def test_explain_updates_says_what_travels(others: list[dict[str, Any]]) -> None:
        rows = "the rows that a batch looks up travel between 2 processes)"
        for one in others:
            assert one["explained, exact"] == f"words: exact (asked for; {rows}"
            assert one["explained, lazy"].endswith(f"; {rows}")
            assert one["explained, dense"].endswith(
                "; in each step its whole gradient travels between 2 processes)"
            )

    def test_processes_decide_alike_whatever_their_batches(others: list[dict[str, Any]]) -> None:
        assert others[0]["auto"] == others[1]["auto"]
        assert f"{BATCH * LENGTH} lookups a batch" in others[0]["auto"]

    def test_statistics_stay_equal_and_random_numbers_differ(others: list[dict[str, Any]]) -> None:
        assert others[0]["statistics"] == others[1]["statistics"]
        assert others[0]["seed"][1] == others[1]["seed"][1]
        assert others[0]["seed"][0] != others[1]["seed"][0]
        assert others[0]["mask"] != others[1]["mask"]

    def test_each_fit_begins_with_the_values_of_the_first(others: list[dict[str, Any]]) -> None:
        first, second = (one["after a write in one"] for one in others)
        assert first == second
        assert first > 0

    def test_a_model_that_trained_alone_trains_on_with_others(others: list[dict[str, Any]]) -> None:
        for one in others:
            before, after = one["alone"]
            assert "travel" not in before
            assert "travel between 2 processes" in after
        assert others[0]["alone, sum"] == others[1]["alone, sum"]

    def test_one_checkpoint_is_written_for_all(others: list[dict[str, Any]]) -> None:
        assert others[0]["checkpoint"][0] == BATCHES * 2 // 5 * 5
        assert others[0]["checkpoint"] == others[1]["checkpoint"]

    def test_the_script_of_the_documentation_prints_what_it_says(tmp_path: Path) -> None:
        page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text("utf-8")
        [(script, command, printed)] = re.findall(
            r"```py\n(import numpy.*?)```.*?`KERAS_BACKEND=torch torchrun (.*?) train.py`"
            r".*?```text\n(.*?)```",
            page,
            re.DOTALL,
        )
        (tmp_path / "train.py").write_text(script)
        run = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", *command.split(), "train.py"],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert (run.returncode, run.stdout) == (0, printed), run.stderr
        assert (tmp_path / "model.keras").is_file()
