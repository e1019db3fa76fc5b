"""Facts of instance types and zones: specifications, on-demand prices, Spot Advisor, zone IDs."""
