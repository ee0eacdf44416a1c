"""The models that can answer in a run: recorded replies and live endpoints, beside the rules model."""
