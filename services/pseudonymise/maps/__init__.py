"""Column maps that ship, as TOML: `services.pseudonymise.mapping` reads them."""
