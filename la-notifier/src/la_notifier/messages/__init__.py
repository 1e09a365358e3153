"""Messages to claimants, beside the notices to councils: a package of the same shape as a service, with tables of its own."""
