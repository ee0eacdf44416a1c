"""The JSON Schema of datasets, by which editors complete and check them."""
