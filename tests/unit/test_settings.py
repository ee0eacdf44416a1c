"""Settings are read strictly, and every mistake is one message that says what to do."""

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from agent.settings import OpenAiSettings, Settings, SmtpSettings, load_settings, open_data_folder
from agent.wiring import parts_of
from prompts.folders import LIBRARY_FOLDER, TEMPLATE_FOLDER
from tools.errors import InputError

OPENAI = "model: {adapter: openai, name: gpt-4o-mini}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "outrider.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_everything_stays_on_this_machine(folder: Path) -> None:
    loaded = load_settings(None, env={})

    assert folder.exists()
    assert loaded.path is None
    assert (loaded.settings.model.adapter, loaded.settings.channels.email.kind) == ("rules", "outbox")
    assert loaded.database_url == "sqlite:///outrider-data/outrider.db"
    assert (loaded.settings.every, loaded.settings.shadow) == (timedelta(seconds=15), False)


def test_a_file_is_found_here_and_in_the_data_folder(folder: Path) -> None:
    (folder / "outrider-data").mkdir()
    written(folder / "outrider-data", "shadow: true\n")
    assert load_settings(None, env={}).settings.shadow

    written(folder, "shadow: false\n")
    assert not load_settings(None, env={}).settings.shadow


def test_paths_start_at_the_settings_file(folder: Path) -> None:
    (folder / "deep").mkdir()

    loaded = load_settings(written(folder / "deep", "data: kept\nconnectors: [shop.yaml]\n"), env={})

    assert loaded.data_folder == folder / "deep" / "kept"
    assert loaded.at(loaded.settings.connectors[0]) == folder / "deep" / "shop.yaml"


def test_the_environment_overrides_the_file(folder: Path) -> None:
    env = {
        "OUTRIDER_DATA": "elsewhere",
        "OUTRIDER_DATABASE": "postgresql+psycopg://db/x",
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1",
    }

    loaded = load_settings(written(folder, OPENAI), env=env)

    assert (loaded.data_folder, loaded.database_url) == (Path("elsewhere"), "postgresql+psycopg://db/x")
    assert isinstance(loaded.settings.model, OpenAiSettings)
    assert loaded.settings.model.base_url == "http://127.0.0.1:8080/v1"


def test_secrets_do_not_show_when_printed(folder: Path) -> None:
    path = written(
        folder, OPENAI + "channels: {email: {kind: smtp, host: h, sender: a@b.example, user: u}}\n"
    )

    loaded = load_settings(path, env={"OPENAI_API_KEY": "sk-shh", "OUTRIDER_SMTP_PASSWORD": "hush"})

    assert loaded.secrets.openai_api_key is not None
    assert loaded.secrets.openai_api_key.get_secret_value() == "sk-shh"
    assert isinstance(loaded.settings.channels.email, SmtpSettings)
    assert "shh" not in repr(loaded.secrets)
    assert "hush" not in repr(loaded.secrets)


MISTAKES = {
    "no-key": (OPENAI, "openai adapter needs a key", "model.adapter"),
    "no-password": (
        "channels: {email: {kind: smtp, host: h, sender: a@b.example, user: u}}\n",
        "OUTRIDER_SMTP_PASSWORD",
        "channels.email.user",
    ),
    "unknown-field": ("shadwo: true\n", "shadow", "shadwo"),
    "duration": ("every: soon\n", "every", "every"),
    "duplicate": ("shadow: true\nshadow: false\n", "shadow", ":2"),
    "broken": ("shadow: [true\n", "outrider.yaml", ""),
    "adapter": ("model: {adapter: magic}\n", "openai", "adapter"),
    "port": ("channels: {email: {kind: smtp, host: h, sender: a@b.example, port: 70000}}\n", "port", "65535"),
    "level": ("log_level: loud\n", "warning", "log_level"),
    "concurrency": ("concurrency: 0\n", "concurrency", "1"),
    "role": ("reviewers: {ann: {role: boss}}\n", "'boss'", "reviewers.ann.role"),
    "reviewer-name": ("reviewers: {model: {role: lead}}\n", "signed 'model'", "reviewers"),
    "login-twice": (
        "reviewers: {ann: {role: lead}, bob: {role: lead, login: ann}}\n",
        "the login 'ann'",
        "reviewers",
    ),
    "secret-in-file": (OPENAI.replace("}", ", api_key: sk-x}"), "api_key", ""),
}


@pytest.mark.parametrize(("text", "first", "second"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_place(folder: Path, text: str, first: str, second: str) -> None:
    path = written(folder, text)

    with pytest.raises(InputError) as caught:
        load_settings(path, env={})

    message = str(caught.value)
    assert message.startswith(str(path))
    assert first in message
    assert second in message


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        load_settings(folder / "nowhere.yaml", env={})


def test_the_key_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    first = open_data_folder(tmp_path / "data")

    assert open_data_folder(tmp_path / "data") == first
    (key_file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(open_data_folder, [tmp_path / "data"] * 40))

    assert len(keys) == 1
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    open_data_folder(tmp_path)
    (tmp_path / "installation.key").write_bytes(b"short")

    with pytest.raises(InputError, match="5 bytes, not 32"):
        open_data_folder(tmp_path)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")

    with pytest.raises(InputError, match="data folder cannot be used"):
        open_data_folder(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(InputError, match="right to write"):
        open_data_folder(tmp_path / "data")


def test_defaults_are_valid() -> None:
    assert Settings.model_validate({}) == Settings()


def test_texts_may_come_from_folders_of_ones_own(folder: Path) -> None:
    shutil.copytree(TEMPLATE_FOLDER, folder / "texts")
    (folder / "texts" / "shipping_delay" / "email.en.j2").write_text("no head", encoding="utf-8")
    loaded = load_settings(written(folder, "templates: texts\n"), env={})

    with pytest.raises(InputError, match=r"texts/shipping_delay/email\.en\.j2"):
        parts_of(loaded)

    parts = parts_of(load_settings(written(folder, f"prompts: {LIBRARY_FOLDER}\n"), env={}))
    assert (parts.folders.prompts, parts.folders.templates) == (LIBRARY_FOLDER, TEMPLATE_FOLDER)
