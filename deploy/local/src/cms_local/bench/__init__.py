"""The platform measured beside the bare parts that it stands on."""
