"""Swappable implementations around ``kataven_core``; importing this loads none of them."""
