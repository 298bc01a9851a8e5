"""From an uploaded file of any accepted format to the canonical Parquet file and a summary of every column."""
