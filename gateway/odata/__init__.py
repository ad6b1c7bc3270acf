"""How the service is asked: resource model, planner, query options. Pure: no I/O."""
