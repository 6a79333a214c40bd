"""What a deployment knows of downloads: what is to come, how far it is, what failed."""
