"""Search with Optuna. Points are chosen in batches of fixed size and told in order: the same whatever the workers."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pimsim.config.sweep import OptunaSpec
from pimsim.errors import ConfigError
from pimsim.explore.axes import Axis, Settings
from pimsim.explore.objectives import OBJECTIVES, broken_limit
from pimsim.explore.plan import SweepPlan
from pimsim.explore.points import DesignPoint
from pimsim.explore.session import Session
from pimsim.explore.start import starting_params

if TYPE_CHECKING:
    import optuna


def check_search(plan: SweepPlan) -> None:
    """Refuse a search before anything is stored: without Optuna, or if no trial satisfies the constraints.

    While none does, the sampler learns nothing but that, so that these trials are those which ``search`` would begin with.
    """
    spec, study = _spec(plan), _study(plan)
    for first in range(0, spec.trials, spec.batch):
        trials = [study.ask() for _ in range(min(spec.batch, spec.trials - first))]
        if any(plan.point(_settings(trial, plan.axes)) is not None for trial in trials):
            return
        for trial in trials:
            _tell(study, trial, None)
    raise ConfigError(f"{plan.where}: where: none of the {spec.trials} trials satisfies all constraints")


def search(session: Session) -> None:
    """Run the trials of the session's sweep. Those already stored are told to the sampler, not simulated again."""
    plan = session.plan
    spec, study = _spec(plan), _study(plan)
    session.progress.total = spec.trials
    seen: set[str] = set()
    done = 0
    while done < spec.trials:
        trials = [study.ask() for _ in range(min(spec.batch, spec.trials - done))]
        chosen = [plan.point(_settings(trial, plan.axes)) for trial in trials]
        new = _new_points(chosen, done, seen)
        session.progress.repeated += sum(point is not None for point in chosen) - len(new)
        session.store.add_plan(plan.identity, new)
        session.run([point for _, point in new])
        for trial, point in zip(trials, chosen, strict=True):
            _tell(study, trial, _values(session, point))
        done += len(trials)
        session.progress.total = len(seen) + spec.trials - done


def _spec(plan: SweepPlan) -> OptunaSpec:
    assert plan.spec.strategy is not None
    return plan.spec.strategy.optuna


def _study(plan: SweepPlan) -> optuna.Study:
    """A study that knows nothing yet but the points to start with."""
    library, spec = _optuna(), _spec(plan)
    directions = ["maximize" if OBJECTIVES[name].maximise else "minimize" for name in plan.objectives]
    study: optuna.Study = library.create_study(directions=directions, sampler=_sampler(library, spec, plan.spec.seed))
    for params in starting_params(spec, plan.axes, plan.where):
        study.enqueue_trial(params)
    return study


def _new_points(chosen: list[DesignPoint | None], first: int, seen: set[str]) -> list[tuple[int, DesignPoint]]:
    """Trial numbers and points that no earlier trial had."""
    new = []
    for number, point in enumerate(chosen, start=first):
        if point is not None and point.key not in seen:
            seen.add(point.key)
            new.append((number, point))
    return new


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError("strategy: optuna is not installed: pip install 'pimsim[search]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _sampler(optuna: Any, spec: OptunaSpec, seed: int) -> Any:
    if spec.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(population_size=max(2, spec.batch), seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant_liar is marked experimental
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def _settings(trial: optuna.Trial, axes: list[Axis]) -> Settings:
    """Settings that ``trial`` suggests: ranges as numbers, ordered lists by index, other lists by choice."""
    settings: Settings = {}
    for axis in axes:
        if axis.is_range:
            settings |= axis.of(trial.suggest_float(axis.name, axis.low, axis.high, log=axis.geometric))
        elif _ordered(axis):
            settings |= axis.nth(trial.suggest_int(axis.name, 0, len(axis.values) - 1))
        else:
            settings |= axis.nth(trial.suggest_categorical(axis.name, list(range(len(axis.values)))))
    return settings


def _ordered(axis: Axis) -> bool:
    firsts = [values[0] for values in axis.values]
    return all(isinstance(first, int | float) and not isinstance(first, bool) for first in firsts) and firsts == sorted(firsts)


def _values(session: Session, point: DesignPoint | None) -> list[float] | None:
    """Objectives of a point; None if it is infeasible, failed or left out."""
    if point is None or point.refused:
        return None
    row = session.store.columns(point.key)
    if row is None or broken_limit(session.plan.spec.limits, row):
        return None
    return [float(row[name]) for name in session.plan.objectives]


def _tell(study: Any, trial: Any, values: list[float] | None) -> None:
    from optuna.trial import TrialState

    if values is None:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, values)
