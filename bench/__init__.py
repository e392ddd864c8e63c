"""Measurements, side by side with what one would run instead."""
