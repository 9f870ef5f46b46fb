"""Serve: one supervisor over a process for each role, restarting what dies and stopping all of it gracefully."""
