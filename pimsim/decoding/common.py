"""Parts of rounds that several strategies share."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pimsim.decoding.decisions import Decisions
from pimsim.decoding.feed import TARGET, Answer, Feed, Keep, Request, Roll, Round, Rounds, Standing, Token
from pimsim.decoding.tree import Tree, chain

Drafts = Generator[Request, Answer, list[Token]]


def draft_token(standing: Standing, model: int, after: Sequence[Token], decide: Decisions) -> Generator[Request, Answer, Answer]:
    """Feed ``model`` what it lacks and the drafts ``after`` it, and keep them until rolled back; the last row's logits."""
    rows = (*standing.tokens, *after)[standing.fed[model] :]
    answer = yield Feed("draft", model, rows, logits=(len(rows) - 1,))
    yield Keep(model, tuple(range(len(rows))))
    return answer


def draft_chain(standing: Standing, model: int, count: int, decide: Decisions) -> Drafts:
    """``count`` tokens, one by one."""
    drafts: list[Token] = []
    for _ in range(count):
        answer = yield from draft_token(standing, model, drafts, decide)
        drafts.append(decide.token(answer[0]))
    return drafts


def verify_tree(
    standing: Standing, tree: Tree, tokens: Sequence[Token], decide: Decisions, *, layers: tuple[int, int | None] | None = None
) -> Rounds:
    """The target on all nodes at once; what it confirms stays, and the token it chooses after that."""
    known = standing.unfed(TARGET)
    last = len(known) - 1
    parents = (*range(-1, last), *(parent + len(known) if parent >= 0 else last for parent in tree.parents))
    rows = (*known, *tokens)
    asked = tuple(range(last, len(rows)))
    simple = parents == tuple(range(-1, len(rows) - 1))
    answer = yield Feed("verify", TARGET, rows, None if simple else parents, asked, layers=layers)
    path = decide.path(tree, tokens, answer)
    yield Keep(TARGET, (*range(len(known)), *(len(known) + node for node in path)))
    own = decide.token(answer[path[-1] + 1 if path else 0])
    return Round((*(tokens[node] for node in path), own), len(tokens), len(path))


def verify_chain(
    standing: Standing, drafts: Sequence[Token], decide: Decisions, *, draft: int | None = None,
    layers: tuple[int, int | None] | None = None,
) -> Rounds:  # fmt: skip
    """The target on a chain; a ``draft`` model forgets what was wrong."""
    before = len(standing.tokens)
    found = yield from verify_tree(standing, chain(len(drafts)), drafts, decide, layers=layers)
    if draft is not None:
        yield from roll_back(standing, draft, before + found.accepted)
    return found


def roll_back(standing: Standing, model: int, length: int) -> Generator[Request, Answer, None]:
    """``model`` keeps at most ``length`` tokens."""
    if standing.fed[model] > length:
        yield Roll(model, length)


def plain_round(standing: Standing, decide: Decisions, model: int = TARGET, phase: str = "plain") -> Rounds:
    """One token of one model, fed with all that it has not been fed."""
    rows = standing.unfed(model)
    answer = yield Feed(phase, model, rows, logits=(len(rows) - 1,))
    yield Keep(model, tuple(range(len(rows))))
    return Round((decide.token(answer[0]),))
