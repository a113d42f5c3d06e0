"""The parts of the world's witness, in the order in which world.py plays them."""
