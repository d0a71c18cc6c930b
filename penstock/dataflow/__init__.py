"""The letter between the two towers: graphs as frozen data, their text, and the protocol of submission."""
