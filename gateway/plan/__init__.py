"""Plans: resource model → planner → program of steps. Pure: no I/O."""
