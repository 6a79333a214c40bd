"""Speech to text and text to speech: requests that the gateway passes to engines itself."""
