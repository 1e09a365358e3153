"""CMS-COTS, the bought-in child maintenance package: HTTP and JSON."""
