"""The two CES nests of a unit cost: value added against a bundle of inputs, and the inputs among themselves.

An elasticity within 1e-6 of 1 is Cobb-Douglas, exactly. Sectors with the same elasticity are computed together.
"""

from __future__ import annotations

import numpy as np

from tsingma.economy.chain.table import Float64, Int64

NEAR_ONE = 1e-6


class Nests:
    """Unit costs and new shares for base shares ``input_share`` [N, J, J] and ``value_added_share`` [N, J].

    ``sigma`` and ``epsilon`` are [B, J].
    """

    def __init__(self, input_share: Float64, value_added_share: Float64, sigma: Float64, epsilon: Float64) -> None:
        """Group the sectors whose elasticity is the same in every case."""
        self._inputs, self._added = input_share, value_added_share
        self._sigma, self._epsilon = sigma[:, None, :], epsilon
        self._plain_top = bool((np.abs(sigma - 1.0) < NEAR_ONE).all())
        kinds, place = np.unique(epsilon, axis=1, return_inverse=True)
        self._groups = [
            _Group(kinds[:, g], np.flatnonzero(place.reshape(-1) == g), input_share) for g in range(kinds.shape[1])
        ]

    def log_bundle(self, log_price: Float64) -> Float64:
        """Return the log price hat of each sector's input bundle [B, N, J] at log sector prices [B, N, K]."""
        if len(self._groups) == 1:
            return self._groups[0].log_mean(log_price)
        bundle = np.empty_like(log_price)
        for group in self._groups:
            bundle[:, :, group.chosen] = group.log_mean(log_price)
        return bundle

    def log_unit_cost(self, wage: Float64, log_price: Float64) -> Float64:
        """Return the log hat of unit cost [B, N, J] before productivity and markup, at log factor prices [B, N]."""
        bundle, factor = self.log_bundle(log_price), wage[:, :, None]
        plain = self._added * factor + (1.0 - self._added) * bundle
        if self._plain_top:
            return plain
        near = np.abs(self._sigma - 1.0) < NEAR_ONE
        power = np.where(near, 1.0, 1.0 - self._sigma)
        mean = self._added * np.exp(power * factor) + (1.0 - self._added) * np.exp(power * bundle)
        return np.where(near, plain, np.log(mean) / power)

    def shares(self, wage: Float64, log_price: Float64) -> tuple[Float64, Float64]:
        """Return new input shares [B, N, K, J] and value added shares [B, N, J]."""
        bundle = self.log_bundle(log_price)
        power = (1.0 - self._epsilon)[:, None, None, :]
        inputs = self._inputs * np.exp(power * (log_price[:, :, :, None] - bundle[:, :, None, :]))
        if self._plain_top:
            return inputs, np.broadcast_to(self._added, bundle.shape)
        cost = self.log_unit_cost(wage, log_price)
        return inputs, self._added * np.exp((1.0 - self._sigma) * (wage[:, :, None] - cost))


class _Group:
    """Sectors whose input elasticity is one number in each case of the batch."""

    def __init__(self, elasticity: Float64, chosen: Int64, input_share: Float64) -> None:
        self.chosen = chosen
        self._part = np.ascontiguousarray(input_share[:, :, chosen].transpose(0, 2, 1))
        self._near = np.abs(elasticity - 1.0) < NEAR_ONE
        self._plain, self._mixed = bool(self._near.all()), bool(self._near.any())
        self._power = np.where(self._near, 1.0, 1.0 - elasticity)[:, None, None]

    def log_mean(self, log_price: Float64) -> Float64:
        """Return the log of the mean of order 1 - elasticity [B, N, group]; the geometric mean at 1."""
        if self._plain:
            return (self._part @ log_price[..., None])[..., 0]
        mean = np.log((self._part @ np.exp(self._power * log_price)[..., None])[..., 0]) / self._power
        if self._mixed:
            mean[self._near] = (self._part @ log_price[self._near][..., None])[..., 0]
        return np.asarray(mean, np.float64)
