"""Answers of engines: whether they are whole, and how errors are written in each dialect."""
