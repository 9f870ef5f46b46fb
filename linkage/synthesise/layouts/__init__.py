"""Raw layouts written from clear records, to read them again: one module a layout, with its defects on request.

What a layout has no place for is lost on the way; each module says what that is.
"""
