"""Figures out of an account: CloudWatch Logs Insights and CloudWatch's metrics."""
