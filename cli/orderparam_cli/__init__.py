"""The command line of orderparam."""
