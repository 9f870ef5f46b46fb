"""The page's sections, one module each: from what a run left to HTML."""
