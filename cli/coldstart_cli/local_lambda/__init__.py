"""A Lambda for one machine: runs a function under the layer as Lambda's data plane would.

The runtime is the real ``awslambdaric``. What stands around it on Lambda is played here: the
Runtime API it talks to, the X-Ray daemon, the sandbox with its environment variables, freezing,
restoring and restarting.
"""

from coldstart_cli.local_lambda.layer import unpack_layer
from coldstart_cli.local_lambda.runtime_api import Outcome
from coldstart_cli.local_lambda.sandbox import Function, Invocation, Sandbox, SandboxError

__all__ = ["Function", "Invocation", "Outcome", "Sandbox", "SandboxError", "unpack_layer"]
