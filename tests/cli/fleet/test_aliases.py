"""`coldstart attach --publish --alias`, and back."""

from __future__ import annotations

import json

import pytest
from account import OURS, code
from aws_server import error

ATTACH = ["attach", "orders", "--yes", "--publish", "--alias", "live"]
WIRED = {"AWS_LAMBDA_EXEC_WRAPPER": OURS}


@pytest.fixture
def published(account):
    """An alias that points at version 1, which is what $LATEST is."""
    account.layer()
    account.function("orders")
    client = account.server.client("lambda")
    client.publish_version(FunctionName="orders")
    client.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    return account


def alias(account) -> str:
    return account.server.client("lambda").get_alias(FunctionName="orders", Name="live")[
        "FunctionVersion"
    ]


def test_the_alias_gets_a_version_with_the_layer(published) -> None:
    one = published.json(*ATTACH)["orders"]
    assert (one["result"], one["published"]) == ("done", {"live": "2"})
    assert alias(published) == "2"
    assert published.wired("orders", Qualifier="2")[1] == WIRED
    assert published.wired("orders", Qualifier="1")[1] == {}


def test_twice_changes_nothing(published) -> None:
    published.run(*ATTACH)
    published.server.asked.clear()
    one = published.json(*ATTACH)["orders"]
    assert (one["action"], one["aliases"], one["result"]) == ("none", [], "unchanged")
    changing = ("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias")
    assert not published.server.operations(*changing)


def test_attached_before_without_the_alias(published) -> None:
    published.run("attach", "orders", "--yes")
    assert published.json(*ATTACH)["orders"]["published"] == {"live": "2"}
    published.run("detach", "orders", "--yes")
    assert (alias(published), published.wired("orders")) == ("1", ([], {}))


def test_back_to_the_version_before(published) -> None:
    published.run(*ATTACH)
    published.layer()
    published.run(*ATTACH)
    assert alias(published) == "3"
    run = published.run("detach", "orders", "--yes")
    assert run.exit_code == 0, run.output
    assert (alias(published), published.wired("orders")) == ("1", ([], {}))


def test_detached_twice_while_the_code_has_other_changes(published) -> None:
    """The alias has no layer any more: there is nothing to publish."""
    published.run(*ATTACH)
    published.server.client("lambda").update_function_code(
        FunctionName="orders", ZipFile=code("new = 1")
    )
    for result in ("done", "unchanged"):
        one = published.json("detach", *ATTACH[1:])["orders"]
        assert one["result"] == result
        assert alias(published) == "1"


def test_an_alias_that_has_moved_on_stays(published) -> None:
    published.run(*ATTACH)
    client = published.server.client("lambda")
    client.update_function_code(FunctionName="orders", ZipFile=code("new = 1"))
    client.publish_version(FunctionName="orders")
    client.update_alias(FunctionName="orders", Name="live", FunctionVersion="3")
    one = published.json("detach", "orders", "--dry-run")["orders"]
    assert one["warnings"] == [
        "alias live stays at version 3, which has the layer: it was moved there after attaching;"
        " --publish --alias live publishes a version without it"
    ]
    published.run("detach", "orders", "--yes", "--publish", "--alias", "live")
    assert alias(published) == "4"
    assert published.wired("orders", Qualifier="4") == ([], {})


def test_a_version_before_that_is_gone(published) -> None:
    published.run(*ATTACH)
    gone = error(404, "ResourceNotFoundException")
    published.server.service.before = lambda asked, request: (
        gone if request.args.get("Qualifier") == "1" else None
    )
    one = published.json("detach", "orders", "--yes")["orders"]
    assert one["published"] == {"live": "3"}
    assert published.wired("orders", Qualifier="3") == ([], {})


def test_a_version_before_that_has_the_layer_itself(published) -> None:
    """A deployment has published $LATEST with the layer, and moved the alias to that."""
    client = published.server.client("lambda")
    published.run("attach", "orders", "--yes")
    client.publish_version(FunctionName="orders")
    client.update_alias(FunctionName="orders", Name="live", FunctionVersion="2")
    published.layer()
    published.run(*ATTACH)
    assert alias(published) == "3"
    assert published.run("detach", "orders", "--yes").exit_code == 0
    assert published.wired("orders", Qualifier=alias(published)) == ([], {})


def test_a_version_before_with_other_code(published) -> None:
    """--force had deployed more than the layer: going back would take that away."""
    client = published.server.client("lambda")
    client.update_function_code(FunctionName="orders", ZipFile=code("new = 1"))
    published.run(*ATTACH, "--force")
    new = client.get_function_configuration(FunctionName="orders")["CodeSha256"]
    assert published.run("detach", "orders", "--yes").exit_code == 0
    live = client.get_function_configuration(FunctionName="orders", Qualifier=alias(published))
    assert live["CodeSha256"] == new
    assert published.wired("orders", Qualifier=alias(published)) == ([], {})


def test_an_alias_in_the_middle_of_a_deployment_stays(published) -> None:
    published.run(*ATTACH)
    client = published.server.client("lambda")
    weights = {"AdditionalVersionWeights": {"1": 0.1}}
    client.update_alias(FunctionName="orders", Name="live", FunctionVersion="2",
                        RoutingConfig=weights)  # fmt: skip
    one = published.json("detach", "orders", "--yes")["orders"]
    assert "it is split between versions, a deployment is under way" in one["warnings"][0]
    assert client.get_alias(FunctionName="orders", Name="live")["RoutingConfig"] == weights


def test_the_alias_of_a_function_that_a_tool_deploys(published) -> None:
    """Also where $LATEST has the layer already."""
    published.run("attach", "orders", "--yes")
    arn = published.server.client("lambda").get_function(FunctionName="orders")
    published.server.client("lambda").tag_resource(
        Resource=arn["Configuration"]["FunctionArn"], Tags={"aws:cloudformation:stack-name": "shop"}
    )
    one = published.json(*ATTACH)["orders"]
    assert "CloudFormation (stack shop) deploys it" in one["reasons"][0]
    assert alias(published) == "1"


def test_it_waits_for_the_snapshot(published) -> None:
    """The alias moves when the version is active, not before."""
    published.server.service.pending_looks = 2
    states = []

    def note(asked) -> None:
        states.append(asked.operation)

    published.server.service.after = note
    assert published.json(*ATTACH)["orders"]["result"] == "done"
    after_publishing = states[states.index("PublishVersion") + 1 :]
    assert (
        after_publishing[: after_publishing.index("UpdateAlias")]
        == ["GetFunctionConfiguration"] * 3
    )


def test_a_version_that_does_not_become_active(published) -> None:
    def fail_from_now_on(asked) -> None:
        if asked.operation == "PublishVersion":
            published.server.service.more["orders"] = {"State": "Failed", "StateReason": "No disk"}

    published.server.service.after = fail_from_now_on
    one = published.json(*ATTACH)["orders"]
    assert one["error"] == "version 2 did not become active: No disk"
    assert alias(published) == "1"


def test_it_waits_for_provisioned_concurrency(published) -> None:
    published.server.service.provisioned = {("orders", "live"): 5}
    published.server.service.provisioned_looks = 2
    run = published.run(*ATTACH)
    assert "where 5 provisioned environments are made ready anew" in run.stdout
    operations = [asked.operation for asked in published.server.asked]
    after_moving = operations[operations.index("UpdateAlias") + 1 :]
    assert after_moving == ["GetProvisionedConcurrencyConfig"] * 3


def test_provisioned_concurrency_that_does_not_get_ready(published) -> None:
    published.server.service.provisioned = {("orders", "live"): 5}
    published.server.service.provisioned_status = "FAILED"
    run = published.run(*ATTACH)
    assert run.exit_code == 1
    assert "alias live has moved, but its provisioned concurrency is not ready" in run.stdout
    assert "FUNCTION_ERROR_INIT_FAILURE" in run.stdout


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda a, c: c.delete_alias(FunctionName="orders", Name="live"), "it has no alias live"),
        (
            lambda a, c: c.update_alias(
                FunctionName="orders", Name="live", FunctionVersion="1",
                RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
            ),
            "alias live is split between versions: a deployment is under way",
        ),
        (
            lambda a, c: c.update_function_code(FunctionName="orders", ZipFile=code("new = 1")),
            "$LATEST and version 1 of alias live differ in code: publishing would deploy that too",
        ),
        (
            lambda a, c: c.update_function_configuration(
                FunctionName="orders", MemorySize=512, Environment={"Variables": {"A": "1"}}
            ),
            "$LATEST and version 1 of alias live differ in Environment, MemorySize",
        ),
        (
            lambda a, c: a.server.service.provisioned.update({("orders", "1"): 3}),
            "provisioned concurrency is set on version 1 itself",
        ),
    ],
    ids=["no-alias", "split", "code", "configuration", "provisioned-version"],
)  # fmt: skip
def test_refused(published, prepare, reason: str) -> None:
    prepare(published, published.server.client("lambda"))
    published.server.asked.clear()
    one = published.json(*ATTACH)["orders"]
    assert one["reasons"][0].startswith(reason)
    assert not published.server.operations("UpdateFunctionConfiguration", "PublishVersion")


def test_other_changes_with_force(published) -> None:
    published.server.client("lambda").update_function_code(
        FunctionName="orders", ZipFile=code("new = 1")
    )
    assert published.json(*ATTACH, "--force")["orders"]["published"] == {"live": "2"}


def test_somebody_else_moves_the_alias_meanwhile(published) -> None:
    client = published.server.client("lambda")
    times = []

    def move_first(asked, request) -> None:
        if asked.operation == "UpdateAlias" and not times:
            times.append(1)
            client.update_alias(FunctionName="orders", Name="live", FunctionVersion="1")

    published.server.service.before = move_first
    assert published.json(*ATTACH)["orders"]["published"] == {"live": "2"}
    assert alias(published) == "2"


def test_the_function_is_changed_before_the_version_is_published(published) -> None:
    """Then the version would be of something else: look again, and say so."""

    def change_first(asked, request) -> None:
        if asked.operation == "PublishVersion":
            published.server.service.before = lambda asked, request: None
            published.server.client("lambda").update_function_code(
                FunctionName="orders", ZipFile=code("new = 1")
            )

    published.server.service.before = change_first
    one = published.json(*ATTACH)["orders"]
    assert (one["result"], one["changed"]) == ("refused", True)
    assert "differ in code" in one["reasons"][0]
    assert alias(published) == "1"


@pytest.mark.parametrize("arguments", [["--publish"], ["--alias", "live"]])
def test_the_two_options_go_together(published, arguments: list[str]) -> None:
    run = published.run("attach", "orders", "--yes", *arguments)
    assert run.exit_code == 2
    assert "--publish and --alias go together" in run.stderr


def test_not_allowed_to_publish(published) -> None:
    denied = error(
        403, "AccessDeniedException",
        "User: u is not authorized to perform: lambda:PublishVersion on resource: orders",
    )  # fmt: skip
    published.server.service.before = lambda asked, _: (
        denied if asked.operation == "PublishVersion" else None
    )
    run = published.run(*ATTACH, "--json")
    told = json.loads(run.stdout)["functions"][0]
    assert "the permission lambda:PublishVersion is needed" in told["error"]
    assert told["changed"]


@pytest.mark.parametrize("name", ["", "7", "a/b", "$LATEST", ".."])
def test_what_is_no_name_of_an_alias(published, name: str) -> None:
    run = published.run("attach", "orders", "--yes", "--publish", "--alias", name)
    assert run.exit_code == 2
    assert "is no name of an alias" in run.stderr
