"""Which exercises of saved lessons are solved."""
