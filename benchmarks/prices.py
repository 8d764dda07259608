"""What AWS charges, where this project quotes it.

https://aws.amazon.com/cloudwatch/pricing/, without the free tier.
"""

REGION = "us-east-1"
AS_OF = "2026-11-25"
# Logs, "Collect (Data Ingestion)", custom logs, class "Standard". A GB on AWS's bills is 2**30.
LOGS_USD_PER_GB = 0.50
# Metrics, custom ones, each of the first 10,000.
METRIC_USD_PER_MONTH = 0.30


def logs_usd(size: float) -> float:
    """What it costs to ingest so many bytes into CloudWatch Logs."""
    return size / 2**30 * LOGS_USD_PER_GB
