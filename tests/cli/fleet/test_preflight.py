"""What `coldstart attach` refuses, before it writes anything."""

from __future__ import annotations

import json

import pytest
from account import OURS


def refused(account, *arguments: str) -> str:
    """The reasons, after nothing was written."""
    one = account.json("attach", "orders", "--yes", *arguments)["orders"]
    assert (one["action"], one["result"]) == ("refuse", "refused"), one
    assert not account.server.operations("UpdateFunctionConfiguration", "PublishVersion")
    assert not account.state.exists()
    return "; ".join(one["reasons"])


def test_another_runtime(account) -> None:
    account.layer()
    account.function("orders", Runtime="nodejs22.x")
    assert refused(account) == "its runtime is nodejs22.x, not Python"


def test_a_python_that_the_layer_is_not_for(account) -> None:
    account.layer(CompatibleRuntimes=["python3.12", "python3.13"])
    account.function("orders", Runtime="python3.9")
    assert (
        refused(account) == "coldstart-layer:1 is not for python3.9, but for python3.12, python3.13"
    )


def test_an_old_python_where_the_layer_does_not_say(account) -> None:
    account.layer()
    account.function("orders", Runtime="python3.9")
    assert refused(account) == "the layer is made for Python 3.10 or newer, not python3.9"


def test_an_architecture_that_the_layer_is_not_for(account) -> None:
    account.layer(CompatibleArchitectures=["x86_64"])
    account.function("orders", Architectures=["arm64"])
    assert refused(account) == "coldstart-layer:1 is not for arm64, but for x86_64"


def test_five_layers(account) -> None:
    account.layer()
    account.function("orders", Layers=[account.layer(f"other-{n}") for n in range(5)])
    assert refused(account) == "it has 5 layers already, the most that Lambda allows"


def test_five_layers_with_ours_among_them(account) -> None:
    account.layer()
    layers = [account.layer(f"other-{n}") for n in range(4)]
    account.function("orders", Layers=[account.layer(), *layers])
    account.layer()
    assert account.json("attach", "orders", "--yes")["orders"]["result"] == "done"


def test_the_last_byte_of_the_environment(account) -> None:
    """Lambda counts the variables as JSON."""
    account.layer()
    ours = len(json.dumps({"AWS_LAMBDA_EXEC_WRAPPER": OURS}, separators=(",", ":")))
    fits = 4096 - ours - len(',"A":""')
    account.function("orders", variables={"A": "x" * (fits + 1)})
    account.function("payments", variables={"A": "x" * fits})
    assert refused(account) == "its variables would take 4097 bytes, and Lambda allows 4096"
    assert account.json("attach", "payments", "--yes")["payments"]["result"] == "done"


def test_variables_that_cannot_be_read(account) -> None:
    """To write any of them would delete them all."""
    account.layer()
    account.function("orders", variables={"SECRET": "s"})
    hidden = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "not allowed to decrypt"}}
    account.server.service.more["orders"] = {"Environment": hidden}
    assert "kms:Decrypt on its key is needed" in refused(account)
    account.server.service.more.clear()
    assert account.wired("orders")[1] == {"SECRET": "s"}


def test_a_container_image(account) -> None:
    account.layer()
    account.function("orders")
    account.server.service.more["orders"] = {"PackageType": "Image", "Runtime": ""}
    assert "it is a container image, which has no layers" in refused(account)


@pytest.mark.parametrize(
    ("tags", "manager"),
    [
        ({"aws:cloudformation:stack-name": "shop"}, "CloudFormation (stack shop)"),
        (
            {
                "aws:cloudformation:stack-name": "shop",
                "aws:cloudformation:logical-id": "Orders",
                "lambda:createdBy": "SAM",
            },
            "SAM (stack shop, Orders)",
        ),
        (
            {
                "aws:cloudformation:stack-name": "shop",
                "aws:cloudformation:logical-id": "OrdersFunction0F3C1B2A",
            },
            "the CDK (stack shop, OrdersFunction0F3C1B2A)",
        ),
        (
            {
                "aws:cloudformation:stack-name": "shop-dev",
                "aws:cloudformation:logical-id": "OrdersLambdaFunction",
                "STAGE": "dev",
            },
            "the Serverless Framework (stack shop-dev, OrdersLambdaFunction)",
        ),
        ({"managed-by": "Terraform"}, "Terraform (tag managed-by=Terraform)"),
        ({"terraform:workspace": "prod"}, "Terraform (tag terraform:workspace=prod)"),
        ({"tool": "opentofu"}, "Terraform (tag tool=opentofu)"),
    ],
)
def test_deployed_by_a_tool(account, tags: dict[str, str], manager: str) -> None:
    account.layer()
    account.function("orders", Tags=tags)
    assert refused(account).startswith(f"{manager} deploys it, and would undo this")
    assert account.json("attach", "orders", "--yes", "--force")["orders"]["result"] == "done"


def test_deployed_by_nothing_that_tags_tell(account) -> None:
    account.layer()
    account.function("orders", Tags={"team": "terra", "owner": "forms"})
    assert account.json("attach", "orders", "--yes")["orders"]["result"] == "done"


def test_deployed_by_a_tool_that_has_attached_it_already(account) -> None:
    layer = account.layer()
    account.function(
        "orders",
        Tags={"aws:cloudformation:stack-name": "shop"},
        Layers=[layer],
        variables={"AWS_LAMBDA_EXEC_WRAPPER": OURS},
    )
    assert account.json("attach", "orders", "--yes")["orders"]["result"] == "unchanged"


def test_a_refused_one_does_not_stop_the_others(account) -> None:
    layer = account.layer(CompatibleRuntimes=["python3.13"])
    account.function("orders", Runtime="python3.9")
    account.function("payments")
    account.function("web", Runtime="nodejs22.x")
    run = account.run("attach", "--all", "--yes")
    assert run.exit_code == 1
    assert "3 functions: 1 to attach, 1 refused, 1 left out, not Python." in run.stdout
    assert account.wired("payments")[0] == [layer]
    assert account.wired("orders")[0] == account.wired("web")[0] == []


def test_another_layer(account) -> None:
    """With the wrapper's path set and no wrapper there, no start would succeed."""
    account.layer("pandas")
    account.function("orders")
    run = account.run("attach", "orders", "--yes", "--layer", "pandas")
    assert run.exit_code == 1
    assert "layer:pandas:1 is another layer: it has no coldstart-wrapper" in run.stderr


def test_a_layer_that_is_not_there(account) -> None:
    account.function("orders")
    run = account.run("attach", "orders", "--yes")
    assert run.exit_code == 1
    assert run.stderr.startswith("coldstart: eu-west-1 has no layer coldstart-layer: publish it")
