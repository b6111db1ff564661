import os

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ekiben import threads


@pytest.mark.parametrize(
    ("limit", "expected"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", None), ("", None)]
)
def test_a_container_counts_the_cores_that_it_is_given(tmp_path, monkeypatch, limit, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    (tmp_path / "cpu.max").write_text(limit)
    monkeypatch.setattr(threads, "CGROUP", tmp_path / "cpu.max")
    assert threads.cores() == (expected or 64)


@pytest.mark.parametrize(
    ("workers", "expected"), [("cpu_count", 1), (1, 8), (2, 4), (3, 2), (100, 1), (None, 8)]
)
def test_workers_share_the_cores(tmp_path, monkeypatch, workers, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(threads, "CGROUP", tmp_path / "none")
    assert threads.share(workers) == expected


def test_what_the_user_has_set_stays(monkeypatch):
    for variable in threads.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    threads.claim(2)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_every_n_jobs_inside_a_pipeline_is_set():
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(n_jobs=-1))
    threads.limit(pipeline, 1)
    assert pipeline[-1].n_jobs == 1
    threads.limit(object(), 1)
