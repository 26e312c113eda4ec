"""What makes the records and tables that are committed; each run by hand, from a checkout."""
