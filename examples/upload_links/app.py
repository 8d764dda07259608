"""Hands out links to upload a file straight to S3. Knows nothing of the layer."""

import logging
import os
import uuid

import boto3

logger = logging.getLogger()
logger.setLevel(logging.INFO)

BUCKET = os.environ.get("UPLOAD_BUCKET", "example-uploads")

# Made while the module loads, as one should: the client is then there for every invocation.
s3 = boto3.client("s3")
logger.info("client for %s ready", BUCKET)


def handler(event, context):
    """Answer with a link that takes one PUT. Signing it needs no network."""
    name = event.get("name", "file.bin")
    key = f"{uuid.uuid4()}/{name}"
    url = s3.generate_presigned_url(
        "put_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=300
    )
    logger.info("link for %s made", key)
    return {"statusCode": 200, "body": url}
