"""Settings: what wins, what is told, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from shizi.core import config
from shizi.core.config import RoutingSettings, Settings, load
from shizi.core.errors import ConfigError
from shizi.core.options import Decoder, Effort


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _write(text: str, name: str = "shizi.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_given_the_defaults_hold() -> None:
    loaded = load(environ={})

    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default() -> None:
    _write("server: {port: 1, threads: 2, host: file.example}\nreader: {threads: 3}")

    loaded = load(
        {"server.port": 9, "server.host": None},
        environ={"SHIZI_SERVER__PORT": "8", "SHIZI_SERVER__THREADS": "7"},
    )

    assert loaded.settings.server.port == 9
    assert loaded.settings.server.threads == 7
    assert loaded.settings.server.host == "file.example"
    assert loaded.settings.reader.threads == 3
    assert loaded.origins["server.port"] == "flag"
    assert loaded.origins["server.threads"] == "environment SHIZI_SERVER__THREADS"
    assert loaded.origins["server.host"] == "file shizi.yaml"
    assert loaded.origins["reader.pdf_dpi"] == "default"


def test_rows_name_every_setting_once() -> None:
    rows = list(load(environ={}).rows())

    assert len(rows) == len({name for name, _, _ in rows}) >= 13
    assert ("server.port", 5000, "default") in rows


def test_a_named_file_is_read_instead_of_the_one_in_the_folder() -> None:
    _write("server: {port: 1}")
    other = _write("server: {port: 2}", "other.yaml")

    assert load(file=other, environ={}).settings.server.port == 2
    assert load(environ={"SHIZI_CONFIG": "other.yaml"}).settings.server.port == 2


@pytest.mark.parametrize("text", ["", "server:\n", "# nothing\n"])
def test_an_empty_file_changes_nothing(text: str) -> None:
    assert load(file=_write(text), environ={}).settings == Settings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server: {prot: 1}", "did you mean 'server.port'?"),
        ("servr: {port: 1}", "did you mean 'server.port'?"),
        ("qqq: {zzz: 1}", "known: server.host"),
        ("server: {port: high}", "server.port is 'high' (file shizi.yaml), not a whole number"),
        ("server: {port: true}", "not a whole number"),
        ("server: {port: 1.5}", "not a whole number"),
        ("server: {port: null}", "not a whole number"),
        ("server: {port: 65536}", "it must be from 0 to 65535"),
        ("server: {host: 5}", "not a text"),
        ("limits: {max_pages: 0}", "it must be at least 1"),
        ("server: {timeout_s: .nan}", "it must be from 1.0 to 3600.0"),
        ("paths: {models: 5}", "not a path"),
        ("server: 5", "must hold names with values"),
        ("- 1", "must hold names with values"),
        ("a: [", "is no valid YAML in line"),
    ],
)
def test_a_wrong_file_stops_the_start_and_says_where(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file=_write(text), environ={})

    assert told in str(caught.value)


def test_a_missing_or_binary_file_is_told() -> None:
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="cannot be read"):
        load(file=Path("missing.yaml"), environ={})
    with pytest.raises(ConfigError, match="no valid YAML"):
        load(file=Path("binary.yaml"), environ={})


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        ("SHIZI_SERVER__PROT", "1", "did you mean 'server.port'?"),
        ("SHIZI_SERVER_PORT", "1", "did you mean SHIZI_SERVER__PORT?"),
        ("SHIZI_SERVER__PORT", "many", "not a whole number"),
        ("SHIZI_READER__EFFORT", "best", "not one of fast, balanced, accurate"),
        ("SHIZI_READER__DOUBT", "1.5", "must be from 0.0 to 1.0"),
        ("SHIZI_SERVER__LOG_FORMAT", "loud", "not one of auto, json, text"),
        ("SHIZI_SERVER__MAX_DOCUMENTS", "0", "must be from 1 to 1000"),
    ],
)
def test_a_wrong_variable_stops_the_start(variable: str, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={variable: text})

    assert told in str(caught.value)


def test_other_variables_are_let_be() -> None:
    environ = {"SHIZI_SHARED": "/x", "PATH": "/bin", "OTHER__KEY": "1"}

    assert load(environ=environ).settings == Settings()


def test_values_are_converted_to_their_types() -> None:
    loaded = load(
        environ={
            "SHIZI_SERVER__TIMEOUT_S": "5",
            "SHIZI_PATHS__MODELS": "~/m",
            "SHIZI_READER__EFFORT": "accurate",
        },
    )

    assert loaded.settings.server.timeout_s == 5.0
    assert loaded.settings.read_options().effort is Effort.ACCURATE
    assert loaded.settings.paths.models == Path.home() / "m"
    assert load(environ={"SHIZI_PATHS__MODELS": ""}).settings.paths.models is None


def test_a_file_of_words_is_read(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# names\n张筠\n\nKBE  37\n张筠\n", encoding="utf-8")
    environ = {"SHIZI_READER__WORDS": str(words), "SHIZI_READER__DECODER": "beam"}

    options = load(environ=environ).settings.read_options()

    assert options.words == ("张筠", "KBE 37")
    assert options.decoder is Decoder.BEAM


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), (b"\xff\xfe", "UTF-8")])
def test_words_that_cannot_be_read_are_told(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    words = tmp_path / "words.txt"
    if content is not None:
        words.write_bytes(content)
    settings = load({"reader.words": words}, environ={}).settings
    with pytest.raises(ConfigError, match=told):
        settings.read_options()


def test_a_wrong_decoder_is_told() -> None:
    with pytest.raises(ConfigError, match="one of beam, greedy"):
        load(environ={"SHIZI_READER__DECODER": "wide"})


def test_read_options_take_the_settings_over() -> None:
    settings = load({"reader.pdf_dpi": 300, "limits.max_pages": 7}, environ={}).settings

    options = settings.read_options()

    assert options.decode.pdf_dpi == 300
    assert options.limits.max_pages == 7
    assert options.steps is None


def test_every_setting_is_described() -> None:
    for name, _ in config._known():
        section, key = name.split(".")
        owner = type(getattr(Settings(), section))
        assert f"{key}: " in (owner.__doc__ or ""), name


def test_sizes_are_given_with_a_unit_or_in_bytes(tmp_path: Path) -> None:
    file = tmp_path / "shizi.yaml"
    file.write_text("engine:\n  memory_budget: 300MiB\nserver:\n  max_body_bytes: 5000\n")
    settings = load(file=file, environ={"SHIZI_ENGINE__MOST_MEMORY": "1GB"}).settings

    assert settings.engine.memory_budget == 300 << 20
    assert settings.engine.most_memory == 10**9
    assert settings.server.max_body_bytes == 5000
    with pytest.raises(ConfigError, match=r"memory_budget \(flag\): 'lots' is no size"):
        load({"engine.memory_budget": "lots"}, environ={})


def test_routing_is_written_as_its_owner_knows_it() -> None:
    _write(
        "model_routing: {crnn_enabled: false, gray_scale_ratio: 0.3,\n"
        " auto_rollback_threshold: 0.08, check_interval_seconds: 2}"
    )

    routing = load(environ={}).settings.model_routing

    assert routing == RoutingSettings(
        crnn_enabled=False,
        gray_scale_ratio=0.3,
        auto_rollback_threshold=0.08,
        check_interval_seconds=2.0,
    )


def test_routing_alone_is_read_out_of_a_file_of_settings() -> None:
    text = "server: {port: 1}\nmodel_routing: {gray_scale_ratio: 1}\nsomething: {else: 1}"

    assert config.text_to_routing(text, "x.yaml") == RoutingSettings(gray_scale_ratio=1.0)
    assert config.text_to_routing("", "x.yaml") == RoutingSettings()
    assert config.text_to_routing("model_routing:", "x.yaml") == RoutingSettings()


@pytest.mark.parametrize(
    "routing",
    [
        "{gray_scale_ratio: 1.5}",
        "{gray_scale_ratio: -0.1}",
        "{gray_scale_ratio: lots}",
        "{crnn_enabled: 1}",
        "{crnn_enabled:}",
        "{auto_rollback_threshold: 0}",
        "{check_interval_seconds: 0}",
        "{gray_scale: 0.1}",
        "{gray_scale_ratio: 0.",
        "30",
    ],
)
def test_routing_out_of_range_is_refused(routing: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.yaml"):
        config.text_to_routing(f"model_routing: {routing}", "x.yaml")


def test_truths_and_absent_numbers_survive_the_environment() -> None:
    variables = {"SHIZI_MODEL_ROUTING__CRNN_ENABLED": "false"}
    settings = load(environ=variables).settings

    assert not settings.model_routing.crnn_enabled
    again = config.to_environment(settings)
    assert again["SHIZI_MODEL_ROUTING__GRAY_SCALE_RATIO"] == ""
    assert load(environ=again).settings == settings
    with pytest.raises(ConfigError, match="true or false"):
        load(environ={"SHIZI_MODEL_ROUTING__CRNN_ENABLED": "perhaps"})


@pytest.mark.parametrize(("text", "value"), [("true", True), ("0", False), ("No", False)])
def test_yes_and_no(text: str, value: bool) -> None:
    assert load(environ={"SHIZI_JOBS__ENABLED": text}).settings.jobs.enabled is value
    with pytest.raises(ConfigError, match="true or false"):
        load(environ={"SHIZI_JOBS__ENABLED": "maybe"})
    with pytest.raises(ConfigError, match="true or false"):
        load({"jobs.enabled": 1})


def test_secrets_are_not_shown() -> None:
    loaded = load(environ={"SHIZI_JOBS__LEDGER": "postgresql://u:secret@host/db"})

    assert loaded.settings.jobs.ledger == "postgresql://u:secret@host/db"
    assert "u:secret" not in repr(dict((name, value) for name, value, _ in loaded.rows()))
    assert config.to_environment(loaded.settings)["SHIZI_JOBS__LEDGER"].endswith("@host/db")
