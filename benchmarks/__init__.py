"""What the layer costs, measured against no layer and against every alternative: `make bench`."""
