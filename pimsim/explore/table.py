"""The results of a sweep as a table, from Python: ``pimsim.Sweep.load(path).frame()``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import ValidationError

from pimsim.config.expression import Expression, read_expression
from pimsim.config.sweep import SweepSpec
from pimsim.errors import ConfigError, StoreError, nearest
from pimsim.explore.driver import RESULTS_FOLDER, run_sweep, store_path
from pimsim.explore.evaluate import DONE, INFEASIBLE
from pimsim.explore.objectives import OBJECTIVES, broken_limit, objective_named
from pimsim.explore.pareto import nondominated
from pimsim.explore.session import Watcher
from pimsim.explore.store import Store, StoredPoint
from pimsim.result.write import STDOUT, binary_output, write_table

if TYPE_CHECKING:
    import pandas as pd

PENDING = "pending"


@dataclass(frozen=True)
class Sweep:
    """A sweep as stored: ``spec`` as it was run last, ``rows`` one for each of its points, in the sweep's order.

    A row holds the point's settings, ``status`` (done, infeasible, failed, pending), ``reason``, and the columns of a RunResult.
    """

    path: Path
    spec: SweepSpec
    rows: tuple[dict[str, Any], ...]

    @classmethod
    def load(cls, path: str | Path) -> Sweep:
        """Read a store: its path, or the name of a sweep under ``results/``. Raises StoreError if it is none."""
        store = Store(find_store(path))
        try:
            sweep, text = store.last_sweep()
            spec = _spec_of(text, store.path)
            points = store.plan(sweep)
        finally:
            store.close()
        return cls(store.path, spec, tuple(_row(point, spec) for point in points))

    @classmethod
    def run(
        cls, sweep: str | Path, out: str | Path = RESULTS_FOLDER, *, workers: int | None = None, scheduler: str | None = None,
        fresh: bool = False, watch: Watcher | None = None,
    ) -> Sweep:  # fmt: skip
        """Run a sweep file, or what is left of it, and read its results; see ``explore.driver.run_sweep``."""
        done = run_sweep(sweep, out, workers=workers, scheduler=scheduler, fresh=fresh, watch=watch)
        return cls.load(done.path)

    @property
    def objectives(self) -> list[str]:
        """Columns that the sweep aims at."""
        names = self.spec.strategy.optuna.objectives if self.spec.strategy else self.spec.objectives
        return [objective_named(name, self.spec.name).name for name in names]

    @property
    def axes(self) -> list[str]:
        """Paths that the sweep changes."""
        paths = [part.strip() for key in self.spec.axes for part in key.split(",")]
        return paths or list(dict.fromkeys(path for point in self.spec.points for path in point))

    def frame(self) -> pd.DataFrame:
        """All points as a pandas DataFrame, with unit-suffixed columns."""
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def front(self, objectives: list[str] | None = None) -> pd.DataFrame:
        """The finished points that no other one betters in every objective, sorted by the first."""
        names = [objective_named(name, str(self.path)).name for name in objectives or self.objectives]
        frame = self.frame()
        done = frame[frame["status"] == DONE] if len(frame) else frame
        missing = [name for name in names if name not in done]
        if missing or not len(done):
            raise StoreError(f"{self.path}: no finished point has {', '.join(missing or names)}")
        kept = done[nondominated(done[names].to_numpy(float), [OBJECTIVES[name].maximise for name in names])]
        return kept.sort_values(names, ascending=[not OBJECTIVES[name].maximise for name in names], kind="stable")

    def export(self, path: str | Path) -> Path:
        """Write the table to a ``.csv`` or ``.parquet`` file, whole or not at all."""
        target = Path(path)
        kind = ".csv" if str(path) == STDOUT else "".join(target.suffixes[-2:]) if target.suffix == ".gz" else target.suffix
        if kind in (".csv", ".csv.gz"):
            write_table(path, self.frame())
        elif kind == ".parquet":
            with binary_output(path) as file:
                _to_parquet(self.frame(), file)
        else:
            raise ConfigError(f"{target}: unknown kind of table '{target.suffix}'; allowed: .csv, .csv.gz, .parquet, - for CSV")
        return target


def _spec_of(text: str, path: Path) -> SweepSpec:
    try:
        return SweepSpec.model_validate_json(text)
    except ValidationError:
        raise StoreError(
            f"{path}: table 'sweeps': the sweep's description is damaged; 'pimsim show STORE --salvage FILE.csv' writes what is sound"
        ) from None


def find_store(path: str | Path) -> Path:
    """Path of a store given by path or by the sweep's name. Raises StoreError naming the nearest one."""
    given = Path(path)
    if given.exists():
        return given
    named = store_path(RESULTS_FOLDER, str(path))
    if named.is_file():
        return named
    folder = given.parent if given.suffix == ".sqlite" else Path(RESULTS_FOLDER)
    stores = sorted(found.stem for found in folder.glob("*.sqlite")) if folder.is_dir() else []
    raise StoreError(f"{path}: no such store{nearest(given.stem, stores)}; run 'pimsim sweep' first")


def _row(point: StoredPoint, spec: SweepSpec) -> dict[str, Any]:
    status, reason = point.status or PENDING, point.reason
    limit = broken_limit(spec.limits, point.columns)
    if point.refused or (status == DONE and limit):
        status, reason = INFEASIBLE, point.refused or limit
    row = {"position": point.position, **point.settings, "status": status, "reason": reason}
    return row | {name: value for name, value in point.columns.items() if name not in row} | {"key": point.key}


def _to_parquet(frame: pd.DataFrame, part: BinaryIO) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ConfigError("Parquet needs pyarrow: pip install 'pimsim[parquet]'; CSV needs nothing more") from None
    mixed = [name for name in frame if len({_kind(value) for value in frame[name].dropna()}) > 1]
    frame.assign(**{str(name): frame[name].map(str, na_action="ignore") for name in mixed}).to_parquet(part, index=False)


def _kind(value: Any) -> str:
    """Kind of a Parquet column that ``value`` fits into."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def filtered(frame: pd.DataFrame, where: str | None, option: str) -> pd.DataFrame:
    """Rows of ``frame`` for which the expression ``where`` over its columns holds. Raises ConfigError naming ``option``."""
    if where is None:
        return frame
    condition = read_expression(where, option)
    condition.check_names(map(str, frame.columns))
    return frame[[_holds(condition, row) for row in frame.to_dict("records")]]


def _holds(condition: Expression, row: dict[Any, Any]) -> bool:
    """A row without a value for one of the names does not satisfy the condition."""
    if any(row[name] is None or row[name] != row[name] for name in condition.names):
        return False
    return bool(condition.value(row))
