"""When an object counts as ready, and what to say of one that does not get there."""
