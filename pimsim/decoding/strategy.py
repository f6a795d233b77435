"""What every strategy declares: its parameters, which models must be resident, and what a round asks for."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from pimsim.config.model import SpecModel
from pimsim.decoding.acceptance import Acceptance, Outcomes, Probabilities, check_probabilities, read_outcomes
from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import Rounds, Standing
from pimsim.decoding.residents import Resident
from pimsim.decoding.tree import Tree, chain, full_tree, listed_tree
from pimsim.errors import ConfigError

Drafts = Annotated[int, Field(ge=1, le=64, description="tokens drafted a round [tokens]")]
Probability = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[int, Field(ge=1, le=1024)]


class Strategy(SpecModel):
    """Parameters of a strategy, as in YAML. ``lossless``: the tokens are those of plain greedy decoding, whatever is drafted."""

    name: ClassVar[str] = ""
    lossless: ClassVar[bool] = True
    rolls_back: ClassVar[bool] = True  # feeds tokens that may have to be forgotten
    in_parts: ClassVar[bool] = False  # the target's layers run in parts, one token at a time
    default_acceptance: ClassVar[float | None] = None

    strategy: str
    acceptance: Annotated[Probabilities | None, BeforeValidator(check_probabilities)] = Field(
        None,
        description="probability that a drafted token is right: one, one for each depth, or for each depth one for each rank",
    )
    outcomes: str | None = Field(None, description="JSON file with the outcome of each round instead of probabilities")
    seed: int = Field(0, ge=0, description="of chance")

    @model_validator(mode="after")
    def _one_source(self) -> Strategy:
        if self.acceptance is not None and self.outcomes is not None:
            raise ValueError("give acceptance or outcomes, not both")
        return self

    def chances(self) -> Acceptance | Outcomes:
        """Where outcomes come from without numbers. Raises ConfigError if neither acceptance nor outcomes were given."""
        if self.outcomes is not None:
            return read_outcomes(self.outcomes)
        given = self.acceptance if self.acceptance is not None else self.default_acceptance
        if given is None:
            raise ConfigError(
                f"strategy {self.name}: acceptance (a probability) or outcomes (a file) is needed where there are no weights"
            )
        return Acceptance(given)

    def residents(self) -> tuple[Resident, ...]:
        """Models that are resident beside the target, numbered from 1."""
        return ()

    def tree(self) -> Tree | None:
        """What is drafted a round, where that is always the same; for the closed form."""
        return None

    @property
    def ahead(self) -> int:
        """Positions beyond the last token that a round may draft."""
        drafted = self.tree()
        return 0 if drafted is None else drafted.depth

    def check_target(self, layers: int) -> None:
        """Raise RequestError if the target, of so many layers, cannot do this."""

    def round(self, standing: Standing, decide: Decisions) -> Rounds:
        """Ask for feeds until the round is over."""
        raise NotImplementedError


class ChainStrategy(Strategy):
    """Drafts a chain of ``drafts`` tokens."""

    drafts: Drafts = 4

    def tree(self) -> Tree | None:
        return chain(self.drafts)

    @property
    def ahead(self) -> int:
        return self.drafts


class TreeStrategy(Strategy):
    """Drafts a tree: every level with so many candidates of each token (``widths``), or nodes listed as paths of ranks (``paths``)."""

    widths: list[Level] | None = Field(None, description="candidates of each token, level by level")
    paths: list[list[int]] | None = Field(None, description="nodes as ranks from the root, as [0], [1], [0, 0]")
    default_widths: ClassVar[tuple[int, ...]] = (3, 2, 1)

    @model_validator(mode="after")
    def _valid_tree(self) -> TreeStrategy:
        if self.widths is not None and self.paths is not None:
            raise ValueError("give widths or paths, not both")
        self.tree()
        return self

    def tree(self) -> Tree:
        return listed_tree(self.paths) if self.paths is not None else full_tree(self.widths or self.default_widths)
