# SPDX-License-Identifier: Apache-2.0
"""How a checkpoint is read: a module that is imported with the first one, where PyTorch has `torch.distributed`."""

from __future__ import annotations

from torch.distributed.checkpoint.default_planner import DefaultLoadPlanner
from torch.distributed.checkpoint.planner import LoadPlan


class ModelPlanner(DefaultLoadPlanner):
    """PyTorch's, which refuses what a checkpoint lacks; and what it has of a model beyond the one that is loaded."""

    def create_local_plan(self) -> LoadPlan:
        """The plan. Raises ValueError for parameters that the model does not have, before anything is read."""
        assert self.metadata is not None
        names = self.metadata.state_dict_metadata
        more = sorted(name for name in names if name.startswith("model.") and name not in self.state_dict)
        if more:
            raise ValueError(f"it has {', '.join(more)}, which the model has not")
        return super().create_local_plan()
