"""What a fleet's cold starts are and cost: sources make figures, advice and pages read them."""
