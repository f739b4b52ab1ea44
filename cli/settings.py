"""What the `cleanair` command can be told from outside."""

from __future__ import annotations

from pydantic import Field, SecretStr

from mesh.settings import MeshSettings

OPERATOR_KEY_FILE = "operator.key"


class CommandSettings(MeshSettings):
    """Where the command finds the mesh."""

    gateway_target: str = Field("127.0.0.1:8080", description="The gateway, host:port, that commands call.")
    ingestion_target: str = Field(
        "127.0.0.1:50051", description="The ingestion server, host:port, that files are loaded into."
    )

    def operator_key(self) -> SecretStr | None:
        """The operator key: from the environment, or as the last `cleanair up` left it in the data folder."""
        if self.operator_api_key is not None:
            return self.operator_api_key
        file = self.data_dir / OPERATOR_KEY_FILE
        return SecretStr(file.read_text(encoding="utf-8").strip()) if file.is_file() else None
