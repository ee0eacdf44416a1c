"""From what a person asked for to what answers the questions of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from agent.clock import system_clock
from agent.settings import OpenAiSettings, load_settings
from agent.wiring import model_price, model_transport
from evals.models.asking import Asking, Tier, prompts_in_use
from evals.models.live import LiveAsking
from evals.models.recorded import RecordedAsking
from evals.models.recordings import RECORDINGS, SHIPPED, load_set
from evals.models.spending import SpendBook, spent_beside
from prompts.folders import LIBRARY_FOLDER
from tools.errors import InputError

CURRENCY: Final = "USD"
"""Of the spend cap, and of what reports say a model cost."""
_MICROS: Final = 1_000_000
_LIVE_REPEATS: Final = 4
_WORDS: Final = {
    Tier.RULES: "the rules model",
    Tier.RECORDED: "recorded replies",
    Tier.LIVE: "a live model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWish:
    """Whom to ask, as the command line says it."""

    tier: Tier = Tier.RULES
    recordings: Path = SHIPPED
    prompts: Path | None = None
    """Folder of other prompts; that of the settings without it."""
    config: Path | None = None
    """Settings of a live model."""
    run_file: Path | None = None
    """Of a live run; there the books are kept."""
    cap_micros: int | None = None

    @property
    def usual_repeats(self) -> int:
        """How often each case is run: what answers the same each time need not be asked twice."""
        return _LIVE_REPEATS if self.tier is Tier.LIVE else 1


def wish_of(
    model: Literal["rules", "recorded", "live"],
    *,
    prompts: Path | None,
    recordings: Path | None,
    config: Path | None,
    run_file: Path | None,
    spend_cap: float | None,
    record: Path | None,
    unrecorded: Path | None,
) -> ModelWish:
    """Return whom to ask.

    Args:
        model: The tier.
        prompts: Folder of other prompts.
        recordings: Folder of recorded replies.
        config: Settings file.
        run_file: Of a live run; a new one in this folder without it.
        spend_cap: Of a live run, in whole units of `CURRENCY`.
        record: Folder to record into.
        unrecorded: File for questions without a recording.

    Raises:
        InputError: An option does not go with this tier.
    """
    tier = Tier(model)
    options = (
        ("--prompts", prompts, (Tier.RECORDED, Tier.LIVE)),
        ("--recordings", recordings, (Tier.RECORDED,)),
        ("--unrecorded", unrecorded, (Tier.RECORDED,)),
        ("--spend-cap", spend_cap, (Tier.LIVE,)),
        ("--resume", run_file, (Tier.LIVE,)),
        ("--record", record, (Tier.LIVE,)),
    )
    for option, given, tiers in options:
        if given is not None and tier not in tiers:
            raise InputError(
                f"{option} means nothing to {_WORDS[tier]}",
                field=option,
                remedy=f"add --model {' or --model '.join(tiers)}, or leave it out",
            )
    if tier is Tier.LIVE and run_file is None:
        run_file = Path(f"eval-{system_clock():%Y%m%dT%H%M%SZ}.jsonl")
    return ModelWish(
        tier=tier,
        recordings=recordings or SHIPPED,
        prompts=prompts,
        config=config,
        run_file=run_file,
        cap_micros=None if spend_cap is None else round(spend_cap * _MICROS),
    )


def asking_for(wish: ModelWish, *, env: Mapping[str, str]) -> Asking | None:
    """Return what answers, None for the offline rules model.

    Raises:
        InputError: There are no recordings, no live model is set up, or nothing bounds what it costs.
    """
    match wish.tier:
        case Tier.RULES:
            return None
        case Tier.RECORDED:
            asking = RecordedAsking(load_set(wish.recordings), wish.prompts or LIBRARY_FOLDER)
            prompts_in_use(asking.prompt_folder)  # a wrong one shows before the first case
            return asking
        case Tier.LIVE:
            return _live(wish, env)


def live_judge(
    config: Path | None, book: Path, spend_cap: float | None, *, env: Mapping[str, str]
) -> LiveAsking:
    """Return the model of the settings as a judge of texts.

    Args:
        config: Settings file.
        book: Keeps what was spent.
        spend_cap: Most that may be spent, in whole units of `CURRENCY`.
        env: Environment, for the key.

    Raises:
        InputError: No model is set up, or nothing bounds what it costs.
    """
    cap = None if spend_cap is None else round(spend_cap * _MICROS)
    return _live(ModelWish(tier=Tier.LIVE, config=config, run_file=book, cap_micros=cap), env)


def with_model(asking: Asking | None, name: str) -> Asking | None:
    """Return the same with another model: `rules`, a set of recordings, or a live `NAME` or `NAME@URL`.

    Raises:
        InputError: There is no such set, or the run asks no model that could be replaced.
    """
    if name == Tier.RULES:
        return None
    if isinstance(asking, RecordedAsking):
        folder = RECORDINGS / name
        return replace(asking, recordings=load_set(folder if folder.is_dir() else Path(name)))
    if isinstance(asking, LiveAsking):
        model, _, url = name.partition("@")
        before = asking.settings
        settings = before.model_copy(
            update={
                "name": model,
                "base_url": url or before.base_url,
                "price": before.price if asking.price.is_free else None,
            }
        )
        return _checked(replace(asking, settings=settings, price=model_price(settings, currency=CURRENCY)))
    raise InputError(
        f"the rules model cannot be compared with {name!r}",
        field="--against",
        remedy="run the model itself, with --model live --against model=rules",
    )


def with_prompts(asking: Asking | None, folder: Path) -> Asking:
    """Return the same with the prompts of another folder.

    Raises:
        InputError: The run has no prompts: the rules model reads none.
    """
    if isinstance(asking, RecordedAsking | LiveAsking):
        return replace(asking, prompt_folder=folder)
    raise InputError(
        "the rules model reads no prompts",
        field="--against",
        remedy="add --model recorded or --model live",
    )


def _live(wish: ModelWish, env: Mapping[str, str]) -> LiveAsking:
    loaded = load_settings(wish.config, env=env)
    settings = loaded.settings.model
    if not isinstance(settings, OpenAiSettings):
        raise InputError(
            "the settings choose the rules model, so there is none to ask",
            path=loaded.path,
            field="model.adapter",
            remedy="write model: {adapter: openai, name: NAME, base_url: URL} into outrider.yaml, "
            "or name another file with --config",
        )
    price = model_price(settings, currency=CURRENCY)
    if wish.cap_micros is None and not price.is_free:
        raise InputError(
            f"{settings.name} costs money and nothing bounds it",
            field="--spend-cap",
            remedy="say how much the run may cost at most, for example --spend-cap 2",
        )
    if wish.run_file is None:
        raise ValueError("a live run without a run file")
    return _checked(
        LiveAsking(
            settings,
            loaded.secrets,
            price,
            SpendBook(wish.run_file, cap_micros=_left(wish.cap_micros, spent_beside(wish.run_file))),
            wish.prompts or loaded.at(loaded.settings.prompts),
            loaded.path,
        )
    )


def _left(cap_micros: int | None, spent_micros: int) -> int | None:
    return None if cap_micros is None else max(cap_micros - spent_micros, 0)


def _checked(asking: LiveAsking) -> LiveAsking:
    """Let a wrong address or prompt show before the first case."""
    prompts_in_use(asking.prompt_folder)
    model_transport(asking.settings, asking.secrets, system_clock)
    return asking
