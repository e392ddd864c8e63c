"""Finds what a machine has, and makes what it lacks. Standard library only: it runs before anything is installed."""
