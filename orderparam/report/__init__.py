"""Reports: pure renderers of results, and the folder that a fit leaves behind."""
