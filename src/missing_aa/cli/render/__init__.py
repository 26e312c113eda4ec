"""What each command prints: its result as text for a person."""
