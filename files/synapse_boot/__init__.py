"""Programs for the engines' containers. Each is one file that needs Python alone."""
