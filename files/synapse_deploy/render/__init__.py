"""From a role's slice of the catalogue to the variable parts of its objects. Pure."""
