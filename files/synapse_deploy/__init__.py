"""What a deployment is made from: the site is read, checked and resolved here."""
