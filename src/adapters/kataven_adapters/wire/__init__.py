"""What goes over the wire between the engine and a dialer, as both sides write and read it; it opens no connection."""
