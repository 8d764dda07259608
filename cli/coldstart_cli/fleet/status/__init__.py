"""Which functions have the layer, and what keeps its signals from arriving."""
