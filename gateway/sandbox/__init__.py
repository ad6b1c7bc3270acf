"""An embedded stand-in for the Microsoft Graph lifecycle workflows service."""

from gateway.sandbox.app import create_sandbox
from gateway.sandbox.settings import SandboxSettings

__all__ = ["SandboxSettings", "create_sandbox"]
