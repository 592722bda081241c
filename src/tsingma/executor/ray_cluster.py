"""The executor of an existing Ray cluster, or of one started on this machine; Ray is imported only when it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.executor.protocol import distinct, resolve


class RayCluster:
    """Runs tasks as Ray tasks; the shared part is put into the object store once."""

    def __init__(self, address: str | None = None, *, cores: int | None = None) -> None:
        """Connect to ``address``, or start a local cluster of ``cores``; raises Rejected (missing) without Ray."""
        try:
            import ray
        except ImportError:
            message = "Ray is not installed"
            raise refuse(RejectionReason.MISSING, message, field="ray", remedy="pip install tsingma[cluster]") from None
        self._ray: Any = ray
        if not ray.is_initialized():
            options: dict[str, Any] = (
                {"address": address} if address else {"num_cpus": cores, "include_dashboard": False}
            )
            ray.init(log_to_driver=False, **options)

    def run(self, task: str, shared: bytes, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the results in the order of ``inputs``."""
        resolve(task)
        chosen, order = distinct(task, shared, inputs)
        held = self._ray.put(shared)
        remote = self._ray.remote(_work)
        found = self._ray.get([remote.remote(task, held, one) for one in chosen])
        return [found[place] for place in order]

    def close(self) -> None:
        """Leave the cluster (and stop it, when it was started here)."""
        self._ray.shutdown()


def _work(task: str, shared: bytes, one: bytes) -> bytes:
    return resolve(task)(shared, one)
