"""A Lambda function as the account describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class FleetFunction:
    """One function, as Lambda's ListFunctions or GetFunctionConfiguration describes it."""

    region: str
    # FunctionConfiguration, as the API returns it (of $LATEST unless said otherwise).
    configuration: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, without version or alias."""
        return str(self.configuration["FunctionName"])

    @property
    def arn(self) -> str:
        """Its ARN, without version or alias."""
        return ":".join(str(self.configuration["FunctionArn"]).split(":")[:7])

    @property
    def variables(self) -> Mapping[str, str]:
        """Its environment variables."""
        return dict((self.configuration.get("Environment") or {}).get("Variables") or {})

    @property
    def layers(self) -> tuple[str, ...]:
        """The version ARNs of its layers, in order."""
        layers = self.configuration.get("Layers") or ()
        return tuple(str(layer.get("Arn")) for layer in layers)

    @property
    def architecture(self) -> str:
        """x86_64 or arm64."""
        return str((self.configuration.get("Architectures") or ["x86_64"])[0])

    @property
    def runtime(self) -> str:
        """Its runtime's identifier; a container image has none."""
        return str(self.configuration.get("Runtime") or "container image")

    @property
    def is_image(self) -> bool:
        """Whether it is deployed as a container image, which has no layers."""
        return self.configuration.get("PackageType") == "Image"

    @property
    def is_python(self) -> bool:
        """Whether the layer could mean anything to it: an image may hold any runtime."""
        return self.runtime.startswith("python") or self.is_image

    @property
    def unreadable(self) -> str | None:
        """Why its variables are not known, if so: writing any would then delete them all."""
        error = (self.configuration.get("Environment") or {}).get("Error")
        if not error:
            return None
        return (
            f"its variables cannot be read ({error.get('ErrorCode')}: {error.get('Message')}):"
            " kms:Decrypt on its key is needed"
        )

    @property
    def log_group(self) -> str:
        """Where its log lines go ("LoggingConfig" in the Lambda API reference)."""
        config = self.configuration.get("LoggingConfig") or {}
        return str(config.get("LogGroup") or f"/aws/lambda/{self.name}")
