"""COLDSTART_PROFILE: why a start was slow. Imported only where that is on."""
