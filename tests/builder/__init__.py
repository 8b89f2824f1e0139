"""Loading from the Hub, by the clients that people use."""
