"""Hydra plugins of ftfkit: search path, recursive conf folders, one-plan sweeper."""
