"""Settings: `outrider.yaml` and a few environment variables; secrets come from the environment alone."""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from tempfile import mkstemp
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, field_validator

from agent.domain.drafts import AUTHORS
from agent.domain.reviewers import Role
from agent.store.keyring import KEY_BYTES
from policies.loader import LIMITS_FILE, PLAYBOOK_FOLDER, REVIEW_FILE
from prompts.folders import LIBRARY_FOLDER, TEMPLATE_FOLDER
from tools.durations import Duration
from tools.errors import InputError
from tools.records.base import Instant, Strict
from tools.yaml_file import load_yaml

SETTINGS_FILE: Final = Path("outrider.yaml")
DATA_FOLDER: Final = Path("outrider-data")
_KEY_FILE: Final = "installation.key"

ReviewerName = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f](?:[^\x00-\x1f]{0,58}[^\s\x00-\x1f])?$")]
"""What a person is called in reviews and in the audit log."""


class RulesSettings(Strict):
    """The offline rules model: deterministic, free, approved templates."""

    adapter: Literal["rules"] = "rules"


class OpenAiSettings(Strict):
    """Any OpenAI-compatible endpoint; the key is read from `OPENAI_API_KEY`."""

    adapter: Literal["openai"]
    name: str
    """The model's name as the endpoint knows it."""
    base_url: str = "https://api.openai.com/v1"
    """`OPENAI_BASE_URL` overrides it."""
    price: str | None = None
    """Entry of the price list; the model's name without it. `free` is for servers of one's own."""
    timeout: Duration = Field(default="30s", validate_default=True)  # pyright: ignore[reportAssignmentType]  # parsed
    """For one attempt."""
    deadline: Duration = Field(default="60s", validate_default=True)  # pyright: ignore[reportAssignmentType]  # parsed
    """For one question with all its attempts."""
    max_tokens: Annotated[int, Field(ge=1)] = 2_000
    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"


class OutboxSettings(Strict):
    """Messages become files in the data folder; nothing leaves the machine."""

    kind: Literal["outbox"] = "outbox"


class SmtpSettings(Strict):
    """E-mail by SMTP; the password is read from `OUTRIDER_SMTP_PASSWORD`."""

    kind: Literal["smtp"]
    host: str
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    sender: str
    sender_name: str = ""
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None


class ChannelSettings(Strict):
    """How each channel sends."""

    email: Annotated[OutboxSettings | SmtpSettings, Field(discriminator="kind")] = OutboxSettings()
    sms: OutboxSettings = OutboxSettings()
    push: OutboxSettings = OutboxSettings()


class ReviewerSettings(Strict):
    """One person of the review desk."""

    role: Role
    login: Annotated[str, Field(min_length=1)] | None = None
    """Their user of the operating system; their name without it."""


class SimulationSettings(Strict):
    """A simulated company, as `outrider demo` leaves it: its clock stands where the demo ended."""

    company: Path
    now: Instant


class Settings(Strict):
    """Everything an operator chooses; relative paths start at the settings file."""

    data: Path = DATA_FOLDER
    """Folder of the database, the installation key, locks and the file outbox."""
    database: str | None = None
    """SQLAlchemy URL; a SQLite file in the data folder without it."""
    connectors: tuple[Path, ...] = ()
    playbooks: Path = PLAYBOOK_FOLDER
    templates: Path = TEMPLATE_FOLDER
    prompts: Path = LIBRARY_FOLDER
    limits: Path = LIMITS_FILE
    review: Path = REVIEW_FILE
    """How people review drafts."""
    reviewers: dict[ReviewerName, ReviewerSettings] = Field(default_factory=dict)
    """Who may review, by name; while it is empty, everybody may do everything."""
    model: Annotated[RulesSettings | OpenAiSettings, Field(discriminator="adapter")] = RulesSettings()
    channels: ChannelSettings = ChannelSettings()
    every: Duration = Field(default="15s", validate_default=True)  # pyright: ignore[reportAssignmentType]  # parsed
    """How often the daemon looks at the sources."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    """Most deliberations and hand-overs under way."""
    shadow: bool = False
    """Decide and record, send nothing."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    simulation: SimulationSettings | None = None

    @field_validator("reviewers")
    @classmethod
    def _people_are_told_apart(cls, people: dict[str, ReviewerSettings]) -> dict[str, ReviewerSettings]:
        if taken := AUTHORS.intersection(people):
            raise ValueError(f"drafts are signed {min(taken)!r} by others; choose another name")
        logins = Counter(one.login or name for name, one in people.items())
        twice = [login for login, number in logins.items() if number > 1]
        if twice:
            raise ValueError(f"two reviewers have the login {twice[0]!r}; give each a login of their own")
        return people


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What must not stand in a file."""

    openai_api_key: SecretStr | None
    smtp_password: SecretStr | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings with their secrets, and where they came from."""

    settings: Settings
    secrets: Secrets
    path: Path | None
    """None when no file was found and the defaults hold."""
    env: Mapping[str, str]

    @property
    def base(self) -> Path:
        """The folder that relative paths start at."""
        return self.path.parent if self.path else Path()

    def at(self, path: Path) -> Path:
        """Return a path of the settings as seen from here."""
        return path if path.is_absolute() else self.base / path

    @property
    def data_folder(self) -> Path:
        """The data folder; `OUTRIDER_DATA` overrides the file."""
        return (
            Path(self.env["OUTRIDER_DATA"]) if self.env.get("OUTRIDER_DATA") else self.at(self.settings.data)
        )

    @property
    def database_url(self) -> str:
        """The database; `OUTRIDER_DATABASE` overrides the file."""
        given = self.env.get("OUTRIDER_DATABASE") or self.settings.database
        return given or f"sqlite:///{self.data_folder / 'outrider.db'}"


def load_settings(path: Path | None, *, env: Mapping[str, str]) -> Loaded:
    """Load settings: the given file, else `outrider.yaml` here, else the demo's, else the defaults.

    Raises:
        InputError: The file is wrong, or a secret that it needs is not set.
    """
    found = path or next((one for one in (SETTINGS_FILE, DATA_FOLDER / SETTINGS_FILE) if one.is_file()), None)
    settings = load_yaml(found, Settings) if found else Settings()
    base_url = env.get("OPENAI_BASE_URL")
    if base_url and isinstance(settings.model, OpenAiSettings):
        settings = settings.model_copy(
            update={"model": settings.model.model_copy(update={"base_url": base_url})}
        )
    secrets = Secrets(
        openai_api_key=_secret(env, "OPENAI_API_KEY"), smtp_password=_secret(env, "OUTRIDER_SMTP_PASSWORD")
    )
    if isinstance(settings.model, OpenAiSettings) and secrets.openai_api_key is None:
        raise InputError(
            "the openai adapter needs a key",
            path=found,
            field="model.adapter",
            remedy="set OPENAI_API_KEY (any text for a server of your own), or choose `adapter: rules`",
        )
    email = settings.channels.email
    if isinstance(email, SmtpSettings) and email.user and secrets.smtp_password is None:
        raise InputError(
            "the mail server's user needs a password",
            path=found,
            field="channels.email.user",
            remedy="set OUTRIDER_SMTP_PASSWORD",
        )
    return Loaded(settings=settings, secrets=secrets, path=found, env=env)


def open_data_folder(folder: Path) -> bytes:
    """Make the data folder if it is missing and return the installation key, made on first use.

    Without this key the personal fields of the audit log cannot be read: back it up apart from the database.

    Raises:
        InputError: The folder or the key file cannot be used.
    """
    key_file = folder / _KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not key_file.exists():
            _make_key(key_file)
        key = key_file.read_bytes()
    except OSError as exc:
        raise InputError(
            f"the data folder cannot be used: {exc.strerror}",
            path=folder,
            remedy="give this user the right to write there, or set OUTRIDER_DATA to another folder",
        ) from exc
    if len(key) != KEY_BYTES:
        raise InputError(
            f"the installation key has {len(key)} bytes, not {KEY_BYTES}",
            path=key_file,
            remedy="put the right key file back from your backup",
        )
    return key


def _make_key(key_file: Path) -> None:
    # complete before it has its name: two processes that start at once must not see different or half keys
    descriptor, name = mkstemp(dir=key_file.parent)  # readable by this user alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # the other process was first, and its key counts
            os.link(name, key_file)
    finally:
        Path(name).unlink()


def _secret(env: Mapping[str, str], name: str) -> SecretStr | None:
    return SecretStr(env[name]) if env.get(name) else None
