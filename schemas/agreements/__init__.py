"""Agreements that ship, as JSON: `schemas.agreement.shipped_agreement` reads them."""
