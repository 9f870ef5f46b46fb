"""What is said: the contracts that every part of hwlink meets at. Imports nothing else of ours."""
