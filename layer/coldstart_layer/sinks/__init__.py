"""Where the verdict goes: log records, CloudWatch EMF, X-Ray."""
