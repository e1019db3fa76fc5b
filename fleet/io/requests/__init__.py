"""Fleet requests, Spot requests and schedules from the JSON that AWS takes."""
