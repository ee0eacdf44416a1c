"""Generated sets: hundreds of variants of the critical families, with answers known by construction."""
