"""The telephone switch of the call centre: it counts calls and reports them by the quarter of an hour."""
