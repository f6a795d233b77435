"""The weights of a hub folder: one safetensors file, or shards that an index names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pimsim.errors import WeightsError, nearest
from pimsim.hub.safetensors_file import Entry, SafetensorsFile

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
OTHER_FORMATS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.gguf", "*.msgpack", "*.h5", "*.onnx")


class HubFolder:
    """Tensors of a folder (or of one safetensors file), by name; headers are read at once, data when asked for.

    ``entries``: dtype and shape of every tensor. Raises WeightsError for a folder without weights, an index that is damaged or
    names files outside the folder, a shard that is missing, and a tensor that is not where the index says.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.files = _files(self.path)
        self._home = {name: file for file in self.files for name in file.entries}
        self.entries: dict[str, Entry] = {name: file.entries[name] for name, file in self._home.items()}

    def read(self, name: str, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """A tensor in its stored shape, as ``dtype``. Raises WeightsError, naming it, if it is missing, damaged or not finite."""
        if name not in self._home:
            raise WeightsError(f"{self.path}: tensor '{name}' is missing{nearest(name, self._home)}")
        return self._home[name].read(name, dtype)

    @property
    def elements(self) -> int:
        """Numbers in all tensors together."""
        return sum(int(np.prod(entry.shape, dtype=np.int64)) for entry in self.entries.values())

    def describe(self) -> dict[str, object]:
        """Kind, file names, bytes and SHA-256 over all files in order."""
        digest = hashlib.sha256()
        for file in self.files:
            with file.path.open("rb") as stream:
                while part := stream.read(1 << 22):
                    digest.update(part)
        names = [file.path.name for file in self.files]
        return {
            "kind": "safetensors",
            "file": names[0] if len(names) == 1 else f"{len(names)} shards",
            "bytes": sum(file.size for file in self.files),
            "sha256": digest.hexdigest(),
        }


def has_weights(folder: Path) -> bool:
    """Whether a folder holds a safetensors file or an index of shards."""
    return (folder / INDEX).is_file() or any(folder.glob("*.safetensors"))


def _files(path: Path) -> list[SafetensorsFile]:
    if not path.is_dir():
        return [SafetensorsFile(path)]
    if (path / WHOLE).is_file():
        return [SafetensorsFile(path / WHOLE)]
    if (path / INDEX).is_file():
        return _shards(path)
    found = sorted(path.glob("*.safetensors"))
    if len(found) == 1:
        return [SafetensorsFile(found[0])]
    if found:
        raise WeightsError(f"{path}: holds {len(found)} safetensors files but no {INDEX} that says what is in which")
    others = sorted(other.name for pattern in OTHER_FORMATS for other in path.glob(pattern))
    hint = f"; '{others[0]}' is of a format that is not read" if others else ""
    raise WeightsError(f"{path}: no weights: neither {WHOLE} nor {INDEX}{hint}")


def _shards(folder: Path) -> list[SafetensorsFile]:
    where = folder / INDEX
    try:
        parsed = json.loads(where.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"{where}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{where}: is not valid JSON: {error}") from None
    listed = parsed.get("weight_map") if isinstance(parsed, dict) else None
    if not isinstance(listed, dict) or not listed:
        raise WeightsError(f"{where}: weight_map: a table of tensor names and file names is needed")
    for name, shard in listed.items():
        _check_shard_name(where, name, shard)
    files = []
    for shard in sorted(set(listed.values())):
        if not (folder / shard).is_file():
            raise WeightsError(f"{where}: shard '{shard}' is missing from the folder")
        files.append(SafetensorsFile(folder / shard))
    by_name = {file.path.name: file for file in files}
    for name, shard in listed.items():
        if name not in by_name[shard].entries:
            raise WeightsError(f"{where}: tensor '{name}' is not in '{shard}', where the index places it")
    _refuse_twice(where, files)
    return files


def _check_shard_name(where: Path, tensor: str, shard: Any) -> None:
    plain = isinstance(shard, str) and shard not in ("", ".", "..") and shard.isprintable()
    if not plain or PurePosixPath(shard).name != shard or PureWindowsPath(shard).name != shard:
        raise WeightsError(
            f"{where}: weight_map: '{tensor}' is placed in {str(shard)[:80]!r}; must be a file name in the same folder"
        )
    if not shard.endswith(".safetensors"):
        raise WeightsError(f"{where}: weight_map: '{tensor}' is placed in '{shard[:80]}', which is no .safetensors file")


def _refuse_twice(where: Path, files: list[SafetensorsFile]) -> None:
    seen: dict[str, str] = {}
    for file in files:
        for name in file.entries:
            if name in seen:
                raise WeightsError(f"{where}: tensor '{name}' is in '{seen[name]}' and in '{file.path.name}'")
            seen[name] = file.path.name
