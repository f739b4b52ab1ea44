"""Whoever runs a server can read what each of its settings does."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(f"{path.parent.name}.settings" for path in ROOT.glob("*/settings.py"))


@pytest.mark.parametrize("module", MODULES)
def test_every_setting_is_described_and_frozen(module: str) -> None:
    members = vars(importlib.import_module(module)).values()
    classes = [member for member in members if inspect.isclass(member) and issubclass(member, BaseSettings)]
    own = [settings for settings in classes if settings.__module__ == module]
    assert own
    for settings in own:
        assert settings.model_config.get("frozen")
        assert settings.model_config.get("env_prefix") == "CLEANAIR_"
        assert not [name for name, field in settings.model_fields.items() if not field.description]
