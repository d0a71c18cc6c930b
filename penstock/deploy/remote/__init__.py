"""The way from a program to a cluster: its REST API."""
