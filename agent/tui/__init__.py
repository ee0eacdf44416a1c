"""The reviewers' application in the terminal; everything it knows and does goes through the review desk."""
