"""Many functions at once: which ones, what they are like, attaching the layer to them."""
