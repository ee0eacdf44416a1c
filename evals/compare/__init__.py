"""Two sides on the same cases: which is better, whether that is shown, and which cases flipped."""
