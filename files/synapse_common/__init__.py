"""How every part of Synapse reads what a person wrote, and how it says what is wrong with it."""
