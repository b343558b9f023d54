"""What families inherit: the plain game of two players, and the one that grows."""
