"""Arrays come back from disk as they went there."""

from __future__ import annotations

import numpy as np

from classifiers.language_model.workspace import Workspace


def test_arrays_come_back_whole_and_in_slices(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.save("a", keys=np.array([2**63], np.uint64), kept=np.array([True]))
    workspace.append("a", keys=np.array([1, 2], np.uint64))
    keys, kept = workspace.load("a", "keys", "kept")
    assert (keys.tolist(), kept.tolist()) == ([2**63, 1, 2], [True])
    assert workspace.load("a", "keys", first=1, count=1)[0].tolist() == [1]
    assert workspace.load("a", "keys", first=3, count=0)[0].tolist() == []


def test_saving_replaces_and_removing_forgets(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.save("a", x=np.zeros(3))
    workspace.save("a", x=np.ones(1), y=np.ones(0))
    assert workspace.load("a", "x")[0].tolist() == [1]
    workspace.remove("a", "x", "y", "z")
    assert list(tmp_path.iterdir()) == []
