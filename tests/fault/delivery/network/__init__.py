"""The bad network of the delivery fault suite."""
