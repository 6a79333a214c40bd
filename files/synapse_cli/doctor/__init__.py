"""`make doctor`: is all there that a deployment needs? It looks everywhere and changes nothing."""
