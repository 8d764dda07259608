"""Any sequence of attaching, detaching, deployments by others, and runs that are cut short.

Some random ones each time, and many more in `make soak`: nothing of the function's own is lost, no
wrapper is ever without its layer, the code behind the alias stays, and detaching leaves nothing of
ours.
"""

from __future__ import annotations

import shutil
from typing import Any

from account import OURS, Account, code
from aws_server import error
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

ALIAS = ["--publish", "--alias", "live"]
CHANGING = ("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias")
LAYERS = st.lists(st.sampled_from(["a", "b"]), unique=True)
WRAPPERS = st.sampled_from([None, "", "/opt/mine"])


class Sequences(RuleBasedStateMachine):
    account: Account  # of the test

    @initialize(layers=LAYERS, wrapper=WRAPPERS)
    def prepare(self, layers: list[str], wrapper: str | None) -> None:
        self.account.server.reset()
        self.account.__init__(self.account.server, self.account.home)  # type: ignore[misc]
        shutil.rmtree(self.account.state, ignore_errors=True)
        self.client = self.account.server.client("lambda")
        self.account.layer()
        self.others = {name: self.account.layer(name) for name in ("a", "b")}
        self.layers = [self.others[name] for name in layers]
        self.variables = {"A": 'ä"\\', "EMPTY": ""}
        self.wrapper = wrapper
        self.code = 0
        self.account.function("orders", Layers=self.layers, variables=self._variables())
        self.client.publish_version(FunctionName="orders")
        self.client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
        self.before = self.account.wired("orders")
        self.foreign = False  # whether others have changed it since it was as `before`
        self.live = self._live_code()

    def _variables(self) -> dict[str, str]:
        wrapper = {} if self.wrapper is None else {"AWS_LAMBDA_EXEC_WRAPPER": self.wrapper}
        return self.variables | wrapper

    def _live_code(self) -> str:
        return self.client.get_function_configuration(FunctionName="orders", Qualifier="live")[
            "CodeSha256"
        ]

    @rule(publish=st.booleans())
    def attach(self, publish: bool) -> None:
        run = self.account.run("attach", "orders", "--yes", *(ALIAS if publish else []))
        if run.exit_code:
            assert "differ in" in run.stdout, run.output
            return
        assert _wired(self.account.wired("orders"))
        if publish:
            assert _wired(self.account.wired("orders", Qualifier="live"))

    @rule(publish=st.booleans())
    def detach(self, publish: bool) -> None:
        arguments = ["detach", "orders", "--yes", *(ALIAS if publish else [])]
        run = self.account.run(*arguments)
        if run.exit_code:
            assert "differ in" in run.stdout, run.output
            return
        wired = self.account.wired("orders")
        assert not _wired(wired)
        if not self.foreign:
            assert wired == self.before
        if publish:
            assert not _wired(self.account.wired("orders", Qualifier="live"))
        elif _wired(self.account.wired("orders", Qualifier="live")):
            assert self.foreign  # somebody has moved it there, or $LATEST has other changes
        assert not list(self.account.state.rglob("*.json"))
        self.before, self.foreign = wired, False
        assert self.account.json(*arguments)["orders"]["result"] == "unchanged"

    @rule(
        command=st.sampled_from(["attach", "detach"]),
        publish=st.booleans(),
        at=st.integers(1, 14),
        after=st.booleans(),
    )
    def cut_short(self, command: str, publish: bool, at: int, after: bool) -> None:
        """From a request on nothing gets through; that one itself may have."""
        count = 0
        server = self.account.server

        def before(asked: Any, request: Any) -> Any:
            nonlocal count
            count += 1
            if count == at and after and asked.operation in CHANGING:
                server.serve(request)
            return error(403, "Cut", "cut") if count >= at else None

        server.service.before = before
        self.account.run(command, "orders", "--yes", *(ALIAS if publish else []))
        server.service.before = lambda asked, request: None

    @rule()
    def a_new_version_of_the_layer(self) -> None:
        self.account.layer()

    @rule(value=st.text("xyz", max_size=3))
    def others_set_a_variable(self, value: str) -> None:
        self.variables["B"] = value
        self._update(Environment={"Variables": {**self.account.wired("orders")[1], "B": value}})
        if not self.foreign:
            self.before = (self.before[0], {**self.before[1], "B": value})

    @rule(layers=LAYERS, wrapper=WRAPPERS, new_code=st.booleans())
    def others_deploy(self, layers: list[str], wrapper: str | None, new_code: bool) -> None:
        """As their tool has it, which knows nothing of ours; the alias too."""
        self.layers, self.wrapper = [self.others[name] for name in layers], wrapper
        self._update(Layers=self.layers, Environment={"Variables": self._variables()})
        if new_code:
            self.others_change_the_code()
        version = self.client.publish_version(FunctionName="orders")["Version"]
        self.client.update_alias(FunctionName="orders", Name="live", FunctionVersion=version)
        self.before, self.foreign = self.account.wired("orders"), True
        self.live = self._live_code()

    @rule()
    def others_change_the_code(self) -> None:
        self.code += 1
        self.client.update_function_code(FunctionName="orders", ZipFile=code(str(self.code)))
        self.foreign = True

    def _update(self, **changes: Any) -> None:
        self.client.update_function_configuration(FunctionName="orders", **changes)

    @invariant()
    def nothing_is_lost(self) -> None:
        layers, variables = self.account.wired("orders")
        ours = [arn for arn in layers if ":coldstart-layer:" in arn]
        assert [arn for arn in layers if arn not in ours] == self.layers
        wrapper = variables.pop("AWS_LAMBDA_EXEC_WRAPPER", None)
        inner = variables.pop("COLDSTART_NEXT_WRAPPER", None)
        assert variables == self.variables
        assert (inner if wrapper == OURS else wrapper) in (self.wrapper, self.wrapper or None)
        assert (len(ours) == 1) == (wrapper == OURS)

    @invariant()
    def the_alias_has_the_same_code(self) -> None:
        layers, variables = self.account.wired("orders", Qualifier="live")
        assert variables.get("AWS_LAMBDA_EXEC_WRAPPER") != OURS or _wired((layers, variables))
        assert self._live_code() == self.live


def _wired(wired: tuple[list[str], dict[str, str]]) -> bool:
    return any(":coldstart-layer:" in arn for arn in wired[0])


def test_sequences(account: Account) -> None:
    class Here(Sequences):
        pass

    Here.account = account
    many = 200 if settings.get_current_profile_name() == "soak" else 6
    case = Here.TestCase
    case.settings = settings(
        max_examples=many,
        stateful_step_count=8,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    case().runTest()
