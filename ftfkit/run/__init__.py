"""Plan, cells, store, executors, sweep."""
