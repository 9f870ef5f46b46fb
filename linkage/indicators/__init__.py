"""Indicators: fair shares of a sum, comparison with England, progress of reviews. Pure: frames in and out."""
