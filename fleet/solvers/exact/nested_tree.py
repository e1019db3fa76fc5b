"""Limits that nest, as a tree: capped groups from the leaves to the root, and a unit's worth in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fleet.domain.exact_numbers import Floats, Ints
from fleet.model import GroupLimit
from fleet.solvers.exact.nested import nested_fill

__all__ = ["Node", "Tree"]

FULL = 1e-9


@dataclass(frozen=True)
class Node:
    """A capped group: its number, its parent's (-1 for the root), its children's, and its cap in units."""

    number: int
    parent: int
    children: tuple[int, ...]
    cap: int


@dataclass(frozen=True, eq=False)
class Tree:
    """Groups, children before parents, the root (all pools, no cap) last.

    Parameters
    ----------
    nodes
        The groups.
    node_of
        Shape (n,), the innermost group of each pool.
    limits
        The limits it was made of, finest first.
    firsts
        The number of the first node of each limit.
    """

    nodes: tuple[Node, ...]
    node_of: Ints
    limits: tuple[GroupLimit, ...]
    firsts: tuple[int, ...]

    @classmethod
    def of(cls, limits: tuple[GroupLimit, ...], n: int) -> Tree:
        """Build the tree of limits (finest first, as `nested_order` returns them), whose caps are whole."""
        firsts = np.cumsum([0, *(len(limit.cap) for limit in limits)]).tolist()
        root = firsts[-1]
        node_of = np.full(n, root, dtype=np.int64)
        parent = np.full(root + 1, root, dtype=np.int64)
        parent[root] = -1
        for k in range(len(limits) - 1, -1, -1):
            inside = np.flatnonzero(limits[k].group >= 0)
            group = limits[k].group[inside]
            parent[firsts[k] + group] = node_of[inside]
            node_of[inside] = firsts[k] + group
        children: list[list[int]] = [[] for _ in range(root + 1)]
        for number in range(root):
            children[parent[number]].append(number)
        cap = np.concatenate([limit.cap for limit in limits] + [np.zeros(1)])
        nodes = tuple(
            Node(number, int(parent[number]), tuple(children[number]), int(cap[number]))
            for number in range(root + 1)
        )
        return cls(nodes, node_of, limits, tuple(firsts[:-1]))

    def unit_prices(self, ratio: Floats, reach: Floats, target: float) -> Floats | None:
        """Return what a unit is worth at each node under the LP optimum; ``None`` if it is out of reach.

        A group whose cap stopped it is worth the ratio at which it did; any other as much as its parent. Any
        such numbers give a true bound; these give the LP's own.
        """
        order = np.argsort(ratio, kind="stable")
        units = nested_fill(order, reach, self.limits, target)
        if float(units.sum()) < target * (1 - 1e-12):
            return None
        worth = np.full(len(self.nodes), np.inf)
        touched = np.flatnonzero(units > 0)
        worth[-1] = float(ratio[touched].max(initial=0.0))
        for first, limit in zip(self.firsts, self.limits, strict=True):
            inside = touched[limit.group[touched] >= 0]
            group = limit.group[inside]
            filled = np.bincount(group, units[inside], minlength=len(limit.cap))
            last = np.zeros(len(limit.cap))
            np.maximum.at(last, group, ratio[inside])
            full = filled >= limit.cap * (1 - FULL)
            worth[first : first + len(last)] = np.where(full, last, np.inf)
        for node in reversed(self.nodes[:-1]):
            worth[node.number] = min(worth[node.number], worth[node.parent])
        return worth
