"""The records that flow between the parts, one module for each side of the separation principle.

`subject` holds linkage variables (tokens, filters) and nothing else; `health` and `welfare` hold content and nothing
that links; `links` and `persons` are what matcher and resolver say; `stream` is what a controller declares when it
opens a feed.
"""
