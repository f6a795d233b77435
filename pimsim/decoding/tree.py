"""Trees of candidate tokens: full ones by widths, or listed as paths of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_NODES = 1024


@dataclass(frozen=True)
class Tree:
    """Nodes in an order where parents come first. ``parents``: node, or -1 for the last known token. ``ranks``: which candidate of
    its parent a node is, 0 being the likeliest.
    """

    parents: tuple[int, ...]
    ranks: tuple[int, ...]

    @property
    def depths(self) -> tuple[int, ...]:
        """Depth of each node, 0 for children of the last known token."""
        found: list[int] = []
        for parent in self.parents:
            found.append(0 if parent < 0 else found[parent] + 1)
        return tuple(found)

    @property
    def depth(self) -> int:
        """Number of levels."""
        return max(self.depths, default=-1) + 1

    def children(self, node: int) -> list[int]:
        """Children of a node (-1: of the last known token), likeliest first."""
        return sorted((child for child, parent in enumerate(self.parents) if parent == node), key=self.ranks.__getitem__)

    def level(self, depth: int) -> list[int]:
        """Nodes at a depth."""
        return [node for node, at in enumerate(self.depths) if at == depth]

    def subtree(self, nodes: Sequence[int]) -> Tree:
        """The tree of ``nodes`` alone, which must contain each one's parent."""
        place = {node: index for index, node in enumerate(nodes)} | {-1: -1}
        return Tree(tuple(place[self.parents[node]] for node in nodes), tuple(self.ranks[node] for node in nodes))


def chain(length: int) -> Tree:
    """One candidate after the other."""
    return Tree(tuple(range(-1, length - 1)), (0,) * length)


def full_tree(widths: Sequence[int]) -> Tree:
    """Every node of level d has ``widths[d]`` children. Raises ValueError for widths below 1 or too many nodes."""
    if not widths or min(widths) < 1:
        raise ValueError(f"widths {list(widths)}: each level needs at least 1 candidate")
    parents: list[int] = []
    ranks: list[int] = []
    above = [-1]
    for width in widths:
        if len(parents) + len(above) * width > MAX_NODES:
            raise ValueError(f"widths {list(widths)}: more than {MAX_NODES} nodes")
        level = []
        for node in above:
            for rank in range(width):
                level.append(len(parents))
                parents.append(node)
                ranks.append(rank)
        above = level
    return Tree(tuple(parents), tuple(ranks))


def listed_tree(paths: Sequence[Sequence[int]]) -> Tree:
    """A node for each path of ranks from the root, as [0], [1], [0, 0]. Raises ValueError if one is doubled or lacks its parent."""
    if not paths or len(paths) > MAX_NODES:
        raise ValueError(f"a tree has 1 to {MAX_NODES} nodes, not {len(paths)}")
    place: dict[tuple[int, ...], int] = {(): -1}
    for path in sorted((tuple(path) for path in paths), key=lambda path: (len(path), path)):
        if not path or min(path) < 0:
            raise ValueError(f"path {list(path)}: must be ranks from 0 on")
        if path in place:
            raise ValueError(f"path {list(path)} is given twice")
        if path[:-1] not in place:
            raise ValueError(f"path {list(path)}: its parent {list(path[:-1])} is not in the tree")
        place[path] = len(place) - 1
    ordered = [path for path in place if path]
    return Tree(tuple(place[path[:-1]] for path in ordered), tuple(path[-1] for path in ordered))
