"""Makes a bucket: make_bucket.py ENDPOINT NAME."""

import sys

import boto3

endpoint, name = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
s3.create_bucket(Bucket=name)
