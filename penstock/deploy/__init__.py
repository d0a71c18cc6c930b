"""Carriers: what makes workers out of something."""
