"""One folder a venue, all alike; `base` is the protocol they implement."""
