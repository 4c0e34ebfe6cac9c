"""How a command is spelled, found and carried out. Nothing here knows records or tasks."""
