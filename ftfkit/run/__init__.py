"""Plan, cells, store, executors, sweep."""

from ftfkit.callable_package import answer_calls

answer_calls(__name__)
