"""How much of a pool can be had: tables, availability traces, placement scores."""
