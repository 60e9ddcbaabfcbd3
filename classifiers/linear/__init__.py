"""Logistic regression over hashed terms."""
